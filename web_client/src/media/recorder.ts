import { type DeviceTrouble, troubleOf } from "../state/devices";
import { RECORDING_MOST } from "../timing";

export interface RecorderOptions {
  onStarted: () => void;
  onRecorded: (audio: Blob) => void;
  onTrouble: (trouble: DeviceTrouble) => void;
}

export function canRecord(): boolean {
  return typeof MediaRecorder !== "undefined" && Boolean(navigator.mediaDevices);
}

/** Records the microphone, which is on no longer than that. */
export class Recorder {
  private turn = 0;
  private current: MediaRecorder | null = null;

  constructor(private readonly options: RecorderOptions) {}

  async start(): Promise<void> {
    this.cancel();
    const { turn } = this;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      if (turn === this.turn) this.record(stream, turn);
      else release(stream);
    } catch (error) {
      const name = error instanceof Error ? error.name : "";
      if (turn === this.turn) this.options.onTrouble(troubleOf(name));
    }
  }

  /** Ends the recording, and hands it over. */
  stop(): void {
    if (this.current?.state === "recording") this.current.stop();
  }

  /** Ends the recording, or the question for the microphone, and forgets it. */
  cancel(): void {
    this.turn += 1;
    this.stop();
  }

  private record(stream: MediaStream, turn: number): void {
    const pieces: Blob[] = [];
    const recorder = new MediaRecorder(stream);
    const limit = setTimeout(() => this.stop(), RECORDING_MOST);
    recorder.addEventListener("dataavailable", ({ data }) => pieces.push(data));
    recorder.addEventListener("stop", () => {
      clearTimeout(limit);
      release(stream);
      if (turn !== this.turn) return;
      this.options.onRecorded(new Blob(pieces, { type: recorder.mimeType }));
    });
    this.current = recorder;
    recorder.start();
    this.options.onStarted();
  }
}

function release(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
