import { HEARD_FOR, LEVEL_TICK } from "../timing";
import { soundContext } from "./sound";

const HEARD = 0.02; // root mean square of full scale; a quiet voice half a metre away

function loudness(analyser: AnalyserNode, samples: Float32Array<ArrayBuffer>): number {
  analyser.getFloatTimeDomainData(samples);
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

/** Tells whether the microphone hears anything, five times a second, until the returned stop. */
export function watchLevel(
  track: MediaStreamTrack,
  tell: (heard: boolean, level: number) => void,
): () => void {
  const sound = soundContext();
  const source = sound.createMediaStreamSource(new MediaStream([track]));
  const analyser = sound.createAnalyser();
  const samples = new Float32Array(analyser.fftSize);
  source.connect(analyser);
  let heardAt = Number.NEGATIVE_INFINITY;
  const timer = setInterval(() => {
    if (sound.state !== "running") return; // the browser listens to nobody before the first touch
    const level = loudness(analyser, samples);
    if (level > HEARD) heardAt = performance.now();
    tell(performance.now() - heardAt < HEARD_FOR, Math.min(level * 4, 1));
  }, LEVEL_TICK);
  return () => {
    clearInterval(timer);
    source.disconnect();
  };
}
