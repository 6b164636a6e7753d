import { Capture } from "../media/capture";
import type { Peers } from "../media/peers";
import { silentTrack } from "../media/sound";
import type { VisitSignals } from "../protocol";
import { type DeviceEvent, isLive, isTrouble, type Kind } from "../state/devices";
import { isUnderWay, type JoinState } from "../state/join";

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
  private telling = false;

  constructor(private readonly options: OwnMediaOptions) {
    this.capture = new Capture((kind, status) => {
      options.send({ type: "answered", kind, status });
      this.place();
      this.reconcile();
    });
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

  async start(kinds: readonly Kind[]): Promise<void> {
    this.options.send({ type: "asked", kinds });
    await this.capture.start(kinds);
  }

  want(kind: Kind, wanted: boolean): void {
    this.options.send({ type: "wanted", kind, wanted });
    if (!wanted && kind === "camera" && this.track(kind)) this.capture.stop(kind);
    this.place();
  }

  /** Starts again what the server still forwards of us: after a reload in the middle of a visit. */
  async resume(switches: Switches): Promise<void> {
    for (const kind of KINDS) this.want(kind, switches[kind]);
    const wanted = KINDS.filter((kind) => switches[kind] && this.device(kind).status !== "on");
    if (wanted.length > 0) await this.start(wanted);
  }

  async toggle(kind: Kind): Promise<void> {
    const on = !isLive(this.device(kind));
    this.want(kind, on);
    if (on && this.track(kind)?.readyState !== "live") await this.start([kind]);
    this.place();
    await this.tell();
  }

  /** Makes the server's switches equal to what really runs; a mute there is a mute here. */
  reconcile(): void {
    const { view } = this.options.state();
    if (!view || !isUnderWay(view) || this.telling) return;
    for (const kind of KINDS) {
      if (!view.me[kind] && isLive(this.device(kind))) this.want(kind, false);
    }
    const excess = KINDS.some((kind) => view.me[kind] && !this.live(kind) && !this.asking(kind));
    if (excess) void this.tell();
  }

  async tell(): Promise<void> {
    this.telling = true;
    await this.options.tellServer({
      microphone: this.live("microphone"),
      camera: this.live("camera"),
    });
    this.telling = false;
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

  stop(): void {
    this.capture.stopAll();
  }

  private device(kind: Kind) {
    return this.options.state().devices[kind];
  }

  private live(kind: Kind): boolean {
    return isLive(this.device(kind));
  }

  private asking(kind: Kind): boolean {
    const { status } = this.device(kind);
    return status === "asking" || (status === "unasked" && this.device(kind).wanted);
  }
}
