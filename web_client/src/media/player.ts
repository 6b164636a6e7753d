import { soundContext } from "./sound";

/**
 * Plays one recording at a time. By the page's audio context: an audio element would have lost the
 * permission of the click by the time that the recording is here.
 */
export class Player {
  private source: AudioBufferSourceNode | null = null;
  private turn = 0;

  /** Resolves when it has been played, or was stopped; rejects what cannot be decoded. */
  async play(audio: Blob): Promise<void> {
    this.stop();
    const { turn } = this;
    const sound = soundContext();
    const buffer = await sound.decodeAudioData(await audio.arrayBuffer());
    if (turn !== this.turn) return;
    const source = sound.createBufferSource();
    source.buffer = buffer;
    source.connect(sound.destination);
    const ended = new Promise((done) => source.addEventListener("ended", done, { once: true }));
    this.source = source;
    source.start();
    await ended;
  }

  stop(): void {
    this.turn += 1;
    this.source?.stop();
    this.source = null;
  }
}
