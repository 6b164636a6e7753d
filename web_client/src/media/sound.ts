let context: AudioContext | null = null;
let silent: MediaStreamTrack | null = null;

/** The page's one audio context. Browsers let it run only after a touch or a key. */
export function soundContext(): AudioContext {
  context ??= new AudioContext();
  return context;
}

/** Allows sound with the first touch or key on the page, wherever it lands. */
export function allowSoundSoon(): void {
  for (const name of ["pointerdown", "keydown"]) {
    addEventListener(name, allowSound, { once: true, capture: true });
  }
}

/** Call inside a click: lets chimes sound and the silent track flow from here on. */
export function allowSound(): void {
  void soundContext().resume();
}

/** Runs `change` now and whenever the browser allows or forbids sound. */
export function watchSound(change: (allowed: boolean) => void): void {
  const sound = soundContext();
  const tell = (): void => change(sound.state === "running");
  sound.addEventListener("statechange", tell);
  tell();
}

/**
 * A sound track that says nothing. Somebody who only listens sends it, so that packets keep
 * coming and the server can measure the connection.
 */
export function silentTrack(): MediaStreamTrack {
  if (silent?.readyState === "live") return silent;
  const sound = soundContext();
  const out = sound.createMediaStreamDestination();
  const source = sound.createConstantSource();
  const quiet = sound.createGain();
  quiet.gain.value = 0;
  source.connect(quiet).connect(out);
  source.start();
  silent = out.stream.getAudioTracks()[0] as MediaStreamTrack;
  return silent;
}

function tone(frequency: number, delay: number, length: number): void {
  const sound = soundContext();
  const start = sound.currentTime + delay;
  const voice = sound.createOscillator();
  const loudness = sound.createGain();
  voice.frequency.value = frequency;
  loudness.gain.setValueAtTime(0, start);
  loudness.gain.linearRampToValueAtTime(0.25, start + 0.03);
  loudness.gain.exponentialRampToValueAtTime(0.001, start + length);
  voice.connect(loudness).connect(sound.destination);
  voice.start(start);
  voice.stop(start + length);
}

export type Chime = "arrival" | "admitted" | "message" | "joining";

const TUNES: Record<Chime, readonly number[]> = {
  arrival: [659, 523],
  admitted: [523, 659, 784],
  message: [784],
  joining: [523, 523, 784],
};

/** Plays a short tune, if the browser lets the page sound at all. */
export function chime(name: Chime): void {
  if (soundContext().state !== "running") return;
  TUNES[name].forEach((frequency, index) => {
    tone(frequency, index * 0.22, 0.6);
  });
}
