import { networkInformation } from "../lib/network";
import type { Ack, MediaHeard, VisitNews, VisitSignals } from "../protocol";
import { HEARD_TICK, MEDIA_TICK } from "../timing";
import { countedIn, hear, NEW_EAR } from "./hearing";
import { Peers } from "./peers";
import { isDown, mediaSeen, NO_RESCUE, networkChanged, type RescueAction } from "./rescue";

type Request = <Name extends keyof VisitSignals>(
  name: Name,
  payload: VisitSignals[Name]["payload"],
) => Promise<Ack<VisitSignals[Name]["result"]>>;

export interface MediaLinkOptions {
  request: Request;
  /** How the others were heard in the last second. */
  onHeard: (heard: MediaHeard) => void;
  onStreams: (streams: ReadonlyMap<string, MediaStream>) => void;
  onDown: (down: boolean) => void;
  /** Restarts have not helped: only a new session can. */
  onHopeless: () => void;
}

/** Keeps the media connections up while somebody is in the visit, whatever the network does. */
export class MediaLink {
  readonly peers: Peers;
  private rescue = NO_RESCUE;
  private states: RTCPeerConnectionState[] = [];
  private lostAtServer = false;
  private timer: ReturnType<typeof setInterval> | undefined;
  private listening: ReturnType<typeof setInterval> | undefined;
  private ear = NEW_EAR;

  constructor(private readonly options: MediaLinkOptions) {
    this.peers = new Peers({
      answer: (peer, number, sdp) =>
        void options.request("media:answer", { peer, number, sdp }).catch(() => undefined),
      onStreams: options.onStreams,
      onConnection: (states) => {
        this.states = states;
        this.look();
      },
      onUnusable: options.onHopeless,
    });
    addEventListener("online", () => this.networkChanged());
    networkInformation()?.addEventListener("change", () => this.networkChanged());
  }

  accept(offer: VisitNews["media:offer"]): void {
    this.peers.accept(offer);
    this.listening ??= setInterval(() => void this.listen(), HEARD_TICK);
  }

  serverSays(state: "connected" | "lost"): void {
    this.lostAtServer = state === "lost";
    this.look();
  }

  /** Another session begins, perhaps at another server: what flows goes on until it has its own. */
  handOver(): void {
    this.forget();
    this.peers.handOver();
    this.options.onDown(false);
  }

  close(): void {
    this.forget();
    this.peers.close();
    this.options.onDown(false);
  }

  private forget(): void {
    clearInterval(this.timer);
    clearInterval(this.listening);
    this.timer = undefined;
    this.listening = undefined;
    this.ear = NEW_EAR;
    this.rescue = NO_RESCUE;
    this.states = [];
    this.lostAtServer = false;
  }

  private async listen(): Promise<void> {
    const report = await this.peers.receivedStats();
    if (!report) return;
    const [ear, heard] = hear(this.ear, countedIn([...report].map(([, stats]) => stats)));
    this.ear = ear;
    if (heard) this.options.onHeard(heard);
  }

  private networkChanged(): void {
    if (this.states.length === 0) return;
    const [rescue, action] = networkChanged(this.rescue, performance.now());
    this.rescue = rescue;
    this.perform(action);
  }

  private look(): void {
    const down = this.lostAtServer || isDown(this.states);
    const [rescue, action] = mediaSeen(this.rescue, down, performance.now());
    this.rescue = rescue;
    this.watch(down);
    this.options.onDown(down);
    this.perform(action);
  }

  private watch(down: boolean): void {
    if (down) this.timer ??= setInterval(() => this.look(), MEDIA_TICK);
    else {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  private perform(action: RescueAction): void {
    if (action === "restart") void this.options.request("media:restart", {});
    if (action === "reopen") this.options.onHopeless();
  }
}
