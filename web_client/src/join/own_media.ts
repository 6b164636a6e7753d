import { Capture } from "../media/capture";
import type { Peers } from "../media/peers";
import { silentTrack } from "../media/sound";
import type { VisitSignals } from "../protocol";
import {
  type Device,
  type DeviceEvent,
  type DeviceStatus,
  isTrouble,
  type Kind,
} from "../state/devices";
import { isSent, isUnderWay, type JoinState } from "../state/join";
import { isInCall } from "../state/own_line";

const KINDS: readonly Kind[] = ["microphone", "camera"];

type Switches = VisitSignals["media:switch"]["payload"];

export interface OwnMediaOptions {
  state: () => JoinState;
  send: (event: DeviceEvent) => void;
  peers: Peers;
  tellServer: (switches: Switches) => Promise<void>;
}

/**
 * This person's own camera and microphone: what runs here, what goes out, and what the server was
 * told. Whoever is stricter wins, so that no lost signal and no reconnect can un-mute anybody.
 */
export class OwnMedia {
  private readonly capture: Capture;
  private changing = 0;

  constructor(private readonly options: OwnMediaOptions) {
    this.capture = new Capture((kind, status) => this.answered(kind, status));
  }

  track(kind: Kind): MediaStreamTrack | null {
    return this.capture.track(kind);
  }

  /** Before joining: finds out what can be known, and starts what needs no question. */
  async prepare(): Promise<void> {
    await this.capture.look();
    const idle = KINDS.filter((kind) => !isTrouble(this.device(kind).status));
    if (idle.length > 0 && (await this.capture.allowedAlready())) await this.start(idle);
  }

  /** Starts again what the server still forwards of us: after a reload in the middle of a visit. */
  async resume(switches: Switches): Promise<void> {
    for (const kind of KINDS) this.want(kind, switches[kind]);
    const wanted = KINDS.filter((kind) => switches[kind] && this.device(kind).status !== "on");
    if (wanted.length > 0) await this.start(wanted);
  }

  /** Changes what the person wants of some devices, starts what that needs, tells the server. */
  async change(wants: Partial<Record<Kind, boolean>>): Promise<void> {
    this.changing += 1;
    const kinds = KINDS.filter((kind) => wants[kind] !== undefined);
    for (const kind of kinds) this.want(kind, wants[kind] === true);
    const idle = kinds.filter((kind) => wants[kind] && this.isNeeded(kind) && this.isIdle(kind));
    if (idle.length > 0) await this.start(idle);
    await this.tell();
    this.changing -= 1;
    this.reportLosses();
  }

  /** Starts again what a telephone call took, now that the page carries it again. */
  async restore(kinds = KINDS.filter((kind) => this.isNeeded(kind))): Promise<void> {
    const lost = kinds.filter((kind) => this.device(kind).wanted && this.isIdle(kind));
    if (lost.length === 0) return;
    this.changing += 1;
    await this.start(lost);
    await this.tell();
    this.changing -= 1;
    this.reportLosses();
  }

  /** In the visit, help is shown for what somebody presses, not for what they came without. */
  letGoOfTroubled(): void {
    for (const kind of KINDS) {
      if (isTrouble(this.device(kind).status)) this.want(kind, false);
    }
  }

  /**
   * A mute that came from the server is a mute here. Not while this person is changing it. Of a
   * telephone, the server also says that it is heard: whoever picks one up means to speak.
   */
  adoptMutes(switches: Switches): void {
    if (this.changing > 0) return;
    const spoken = switches.microphone && !this.isNeeded("microphone");
    if (spoken && !this.device("microphone").wanted) this.want("microphone", true);
    for (const kind of KINDS) {
      if (!switches[kind] && this.sends(kind)) this.want(kind, false);
    }
  }

  /** Tells the server what it believes to be running and is not, like an unplugged microphone. */
  reportLosses(): void {
    const { view } = this.options.state();
    if (!view || !isUnderWay(view) || this.changing > 0) return;
    const lost = KINDS.some((kind) => view.me[kind] && !this.sends(kind) && !this.asking(kind));
    if (lost) void this.tell();
  }

  /** Puts the tracks where they belong. Without a microphone, silence flows in its place. */
  place(): void {
    const microphone = this.track("microphone");
    if (microphone) microphone.enabled = this.device("microphone").wanted;
    const { view } = this.options.state();
    if (!view?.me.inside) return;
    void this.options.peers.sendTracks(microphone ?? silentTrack(), this.track("camera"));
    this.options.peers.limit(view.me.video_kbps);
  }

  /** Gives a device back to the browser, whose light then goes out. */
  release(kind: Kind): void {
    this.capture.stop(kind);
  }

  stop(): void {
    this.capture.stopAll();
  }

  private async start(kinds: readonly Kind[]): Promise<void> {
    this.options.send({ type: "asked", kinds });
    await this.capture.start(kinds);
  }

  private want(kind: Kind, wanted: boolean): void {
    this.options.send({ type: "wanted", kind, wanted });
    if (!wanted && kind === "camera" && this.track(kind)) this.capture.stop(kind);
    this.place();
  }

  private answered(kind: Kind, status: DeviceStatus): void {
    this.options.send({ type: "answered", kind, status });
    // Switched off while the browser was still asking: the light must not stay on.
    if (kind === "camera" && status === "on" && !this.device(kind).wanted) this.capture.stop(kind);
    this.place();
    this.reportLosses();
  }

  private tell(): Promise<void> {
    return this.options.tellServer({
      microphone: this.sends("microphone"),
      camera: this.sends("camera"),
    });
  }

  private device(kind: Kind): Device {
    return this.options.state().devices[kind];
  }

  private sends(kind: Kind): boolean {
    return isSent(this.options.state(), kind);
  }

  /** On the telephone, the browser's microphone is not heard and need not run. */
  private isNeeded(kind: Kind): boolean {
    const line = this.options.state().view?.me.line;
    return kind === "camera" || !line || !isInCall(line);
  }

  private isIdle(kind: Kind): boolean {
    return this.track(kind)?.readyState !== "live";
  }

  private asking(kind: Kind): boolean {
    const { status } = this.device(kind);
    return status === "asking" || (status === "unasked" && this.device(kind).wanted);
  }
}
