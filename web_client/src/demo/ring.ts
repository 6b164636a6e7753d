import { soundContext } from "../media/sound";
import { RING_EVERY, RING_LENGTH, VIBRATION } from "../timing";

const BELL = [440, 480]; // Hz, together: how telephones ring in North America
const LOUDNESS = 0.15;

/** Rings and vibrates until it is stopped. */
export class Ring {
  private timer: ReturnType<typeof setInterval> | undefined;
  private sounding: OscillatorNode[] = [];

  start(): void {
    if (this.timer !== undefined) return;
    this.timer = setInterval(() => this.once(), RING_EVERY);
    this.once();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    for (const bell of this.sounding) bell.stop();
    this.sounding = [];
    navigator.vibrate?.(0);
  }

  private once(): void {
    navigator.vibrate?.(VIBRATION);
    const sound = soundContext();
    if (sound.state !== "running") return;
    const loudness = sound.createGain();
    loudness.gain.value = LOUDNESS;
    loudness.connect(sound.destination);
    this.sounding = BELL.map((frequency) => {
      const bell = sound.createOscillator();
      bell.frequency.value = frequency;
      bell.connect(loudness);
      bell.start();
      bell.stop(sound.currentTime + RING_LENGTH / 1000);
      return bell;
    });
  }
}
