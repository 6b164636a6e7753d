import { type DeviceStatus, type DeviceTrouble, type Kind, troubleOf } from "../state/devices";

const CONSTRAINTS: Record<Kind, MediaStreamConstraints> = {
  microphone: { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } },
  camera: {
    video: {
      facingMode: "user",
      width: { ideal: 1280 },
      height: { ideal: 720 },
      frameRate: { ideal: 30, max: 30 },
    },
  },
};

const INPUT: Record<Kind, MediaDeviceKind> = { microphone: "audioinput", camera: "videoinput" };
const TRACK: Record<Kind, "audio" | "video"> = { microphone: "audio", camera: "video" };

// A page that goes away loses its devices as well, which says nothing about what the person wants.
let goingAway = false;
addEventListener("pagehide", () => {
  goingAway = true;
});
addEventListener("pageshow", () => {
  goingAway = false;
});

/** Owns this page's camera and microphone tracks. */
export class Capture {
  private turn = 0;
  private tracks: Partial<Record<Kind, MediaStreamTrack>> = {};

  constructor(private readonly onStatus: (kind: Kind, status: DeviceStatus) => void) {}

  track(kind: Kind): MediaStreamTrack | null {
    return this.tracks[kind] ?? null;
  }

  /** What can be known without asking the person: no such device, or refused before. */
  async look(): Promise<void> {
    const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => null)) ?? null;
    for (const kind of ["microphone", "camera"] as const) {
      if (!navigator.mediaDevices) this.onStatus(kind, "failed");
      else if (devices && !devices.some((d) => d.kind === INPUT[kind])) {
        this.onStatus(kind, "missing");
      } else if ((await permission(kind)) === "denied") this.onStatus(kind, "refused");
    }
  }

  /** Whether asking would show nothing to the person, because they allowed it before. */
  async allowedAlready(): Promise<boolean> {
    const states = await Promise.all([permission("microphone"), permission("camera")]);
    return states.every((state) => state === "granted");
  }

  /** Asks for these devices with as few questions to the person as possible. */
  async start(kinds: readonly Kind[]): Promise<void> {
    const missing = kinds.filter((kind) => this.tracks[kind]?.readyState !== "live");
    const trouble = await this.ask(missing);
    if (trouble === null) return;
    if (missing.length === 1) return this.report(missing, trouble);
    for (const kind of missing) await this.startAlone(kind, trouble);
  }

  stop(kind: Kind): void {
    this.tracks[kind]?.stop();
    delete this.tracks[kind];
    this.onStatus(kind, "off");
  }

  /** Ends everything, also what the person is being asked for right now. */
  stopAll(): void {
    this.turn += 1;
    for (const kind of Object.keys(this.tracks) as Kind[]) this.stop(kind);
  }

  private async startAlone(kind: Kind, trouble: DeviceTrouble): Promise<void> {
    const refused = trouble === "refused" && (await permission(kind)) !== "granted";
    const alone = refused ? trouble : await this.ask([kind]); // a "no" is not asked twice
    if (alone !== null) this.report([kind], alone);
  }

  private async ask(kinds: readonly Kind[]): Promise<DeviceTrouble | null> {
    if (kinds.length === 0) return null;
    if (!navigator.mediaDevices) return "failed";
    const constraints = Object.assign({}, ...kinds.map((kind) => CONSTRAINTS[kind]));
    const turn = this.turn;
    try {
      const stream = await navigator.mediaDevices.getUserMedia(constraints);
      if (turn === this.turn) this.take(stream);
      else this.giveBack(stream, kinds);
      return null;
    } catch (error) {
      return troubleOf(error instanceof Error ? error.name : "");
    }
  }

  private take(stream: MediaStream): void {
    for (const track of stream.getTracks()) {
      const kind: Kind = track.kind === TRACK.camera ? "camera" : "microphone";
      this.tracks[kind]?.stop();
      this.tracks[kind] = track;
      track.addEventListener("ended", () => this.lost(kind, track)); // unplugged or taken away
      this.onStatus(kind, "on");
    }
  }

  private giveBack(stream: MediaStream, kinds: readonly Kind[]): void {
    for (const track of stream.getTracks()) track.stop();
    for (const kind of kinds) this.onStatus(kind, "off");
  }

  private lost(kind: Kind, track: MediaStreamTrack): void {
    if (goingAway || this.tracks[kind] !== track) return;
    delete this.tracks[kind];
    this.onStatus(kind, "missing");
  }

  private report(kinds: readonly Kind[], trouble: DeviceTrouble): void {
    for (const kind of kinds) this.onStatus(kind, trouble);
  }
}

async function permission(kind: Kind): Promise<PermissionState | "unknown"> {
  try {
    return (await navigator.permissions.query({ name: kind as PermissionName })).state;
  } catch {
    return "unknown"; // a browser that has no such permission to ask about
  }
}
