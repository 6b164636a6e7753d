import { Store } from "../lib/store";
import { MediaLink } from "../media/link";
import { allowSound, allowSoundSoon } from "../media/sound";
import { openSession } from "../net/api";
import { Line } from "../net/line";
import type { Ack, SessionReply, Snapshot, VisitNews, VisitSignals } from "../protocol";
import type { Kind } from "../state/devices";
import {
  isSent,
  isUnderWay,
  JOIN_AT_FIRST,
  type JoinEvent,
  type JoinState,
  joinAfter,
} from "../state/join";
import { isBackFromPhone } from "../state/own_line";
import { PLAN_WORDING, type PlanStep } from "../state/phone_plan";
import { EARLY_FIRST, EARLY_MOST } from "../timing";
import { OwnMedia } from "./own_media";
import { PageWatch } from "./page_watch";

type News = Omit<VisitNews, "session:ended">;

/** How somebody comes in: with everything that works, without a picture, or only to listen. */
export type Way = "full" | "sound" | "listen";

/** Everything the join page does. The screens call it; what happens comes back through the store. */
export class JoinApp {
  readonly store = new Store<JoinState, JoinEvent>(joinAfter, JOIN_AT_FIRST);
  readonly media: OwnMedia;
  private readonly line: Line<SessionReply, News, VisitSignals>;
  private readonly link: MediaLink;
  private readonly watch: PageWatch;
  private language = "";
  private leaving: Promise<void> = Promise.resolve();
  private readonly pending = new Set<string>();
  private earlyTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly code: string) {
    this.line = this.makeLine();
    this.link = new MediaLink({
      request: (name, payload) => this.line.request(name, payload),
      onHeard: (heard) => this.line.mention("media:heard", heard),
      onStreams: (streams) => this.store.send({ type: "streams", streams }),
      onDown: (down) =>
        this.store.send(down ? { type: "mediaDown", at: Date.now() } : { type: "mediaUp" }),
      onHopeless: () => void this.line.open(),
    });
    this.media = new OwnMedia({
      state: () => this.store.state,
      send: (event) => this.store.send({ type: "device", event }),
      peers: this.link.peers,
      tellServer: async (switches) => void (await this.line.request("media:switch", switches)),
    });
    this.watch = new PageWatch({
      isInside: () => this.store.state.view?.me.inside === true,
      isUnderWay: () => this.isUnderWay(),
      tell: (name) => void this.line.request(name, {}),
      credential: () => this.line.credential,
    });
    this.store.listen((next, previous) => this.follow(next, previous));
  }

  start(): void {
    allowSoundSoon();
    void this.line.open();
  }

  speaks(language: string): void {
    this.language = language;
  }

  /** Begins again from the link, by the person's own choice. */
  async reopen(): Promise<void> {
    this.store.send({ type: "reopening" });
    await this.leaving;
    await this.line.open();
  }

  soundRefused(): void {
    this.store.send({ type: "soundAllowed", allowed: false });
  }

  allowSound(): void {
    allowSound();
    for (const sound of document.querySelectorAll("audio")) void sound.play();
    this.store.send({ type: "soundAllowed", allowed: true });
  }

  async askDevices(kinds: readonly Kind[]): Promise<void> {
    allowSound();
    await this.media.change(Object.fromEntries(kinds.map((kind) => [kind, true])));
  }

  async join(way: Way, name: string): Promise<void> {
    allowSound();
    const may = this.store.state.view?.me.may ?? [];
    this.store.send({ type: "joining" });
    // Trouble with a device never costs the place in the queue: the waiting room helps with it.
    await this.media.change({
      microphone: way !== "listen" && may.includes("speak"),
      camera: way === "full" && may.includes("show"),
    });
    if (way === "listen") this.media.release("microphone");
    const payload = { language: this.language, ...(name && { name }) };
    await this.attempt("visit:knock", payload);
  }

  /** Out at once, whether or not the server can be told right now. */
  leave(): void {
    this.leaving = this.line.request("visit:leave", {}).then(() => this.line.stop());
    this.store.send({ type: "ended", code: "left" });
  }

  toggle(kind: Kind): void {
    allowSound();
    void this.media.change({ [kind]: !isSent(this.store.state, kind) });
  }

  /** Agrees to be called; an empty number is the one that the practice has. */
  async agree(number: string, sameDevice: boolean): Promise<Ack<unknown>> {
    const answer = await this.ask("phone:plan", {
      number,
      same_device: sameDevice,
      wording: PLAN_WORDING,
      language: this.language,
    });
    if ("ok" in answer) this.plan("settled");
    return answer;
  }

  plan(step: PlanStep): void {
    this.store.send({ type: "planned", plan: step });
  }

  /** Back from the telephone to this page, whose microphone a call may have taken. */
  async moveBack(): Promise<void> {
    allowSound();
    await this.media.restore(["microphone"]); // before the phone falls silent, not after
    await this.attempt("phone:move_back", {});
  }

  /** Sends a signal whose refusal is shown where the person is looking. */
  ask<Name extends keyof VisitSignals>(
    name: Name,
    payload: VisitSignals[Name]["payload"],
  ): Promise<Ack<VisitSignals[Name]["result"]>> {
    this.store.send({ type: "tried" });
    return this.line.request(name, payload);
  }

  /** Sends a signal that the person asked for; what went wrong is put before them. */
  async attempt<Name extends keyof VisitSignals>(
    name: Name,
    payload: VisitSignals[Name]["payload"],
  ): Promise<Ack<VisitSignals[Name]["result"]>> {
    const answer = await this.ask(name, payload);
    if ("error" in answer) this.store.send({ type: "failed", code: answer.error.code });
    return answer;
  }

  private makeLine(): Line<SessionReply, News, VisitSignals> {
    return new Line({
      namespace: "/visit",
      renewSignal: "session:renew",
      open: (within) => openSession(this.code, within),
      news: {
        "visit:changed": (view) => this.store.send({ type: "viewed", view, at: Date.now() }),
        "media:offer": (offer) => this.link.accept(offer),
        "media:state": ({ state }) => this.link.serverSays(state),
      },
      onOpened: (reply) => this.opened(reply),
      onRefused: (problem) => this.store.send({ type: "refused", problem }),
      onEnded: (code) => this.store.send({ type: "ended", code }),
      onUp: () => this.store.send({ type: "lineUp" }),
      onDown: () => this.store.send({ type: "lineDown", at: Date.now() }),
    });
  }

  private opened(reply: SessionReply): void {
    this.link.handOver(); // the connections belonged to the session before this one
    this.link.peers.iceServers = reply.ice_servers;
    this.store.send({ type: "opened", view: reply.view, at: Date.now() });
  }

  private follow(next: JoinState, previous: JoinState): void {
    if (next.step !== previous.step || next.refusal !== previous.refusal) this.stepped(next);
    if (next.view && next.view !== previous.view) this.viewed(next.view, previous.view);
    if (next.mediaLostAt !== null && previous.mediaLostAt === null) void this.line.prove();
    const here = next.view?.me.inside && next.awayAt === null;
    if (here && (!previous.view?.me.inside || previous.awayAt !== null)) this.watch.begin();
  }

  private isUnderWay(): boolean {
    const { step, view } = this.store.state;
    return step === "live" && view !== null && isUnderWay(view);
  }

  private stepped(next: JoinState): void {
    clearTimeout(this.earlyTimer);
    if (next.step !== "refused" && next.step !== "over") return;
    this.link.close();
    this.media.stop();
    const opensAt = next.refusal?.opens_at;
    if (opensAt === undefined) return;
    const delay = Math.max(EARLY_FIRST, Math.min(EARLY_MOST, opensAt * 1000 - Date.now()));
    this.earlyTimer = setTimeout(() => void this.line.open(), delay);
  }

  private viewed(view: Snapshot, previous: Snapshot | null): void {
    if (previous?.me.inside && !view.me.inside) this.link.close();
    if (!previous) void this.begun(view);
    if (previous && !previous.me.inside && view.me.inside) this.media.letGoOfTroubled();
    this.media.place();
    if (isUnderWay(view) && previous) this.media.adoptMutes(view.me);
    this.media.reportLosses();
    if (previous && isBackFromPhone(previous.me.line, view.me.line)) void this.media.restore();
    if (view.me.inside && view.me.admission !== "present") void this.once("visit:enter");
    if (isNew(view)) void this.once("visit:check");
  }

  private async begun(view: Snapshot): Promise<void> {
    if (isUnderWay(view)) return this.media.resume(view.me);
    void this.media.prepare();
  }

  /** Signals that the page sends by itself, never a second one before the first is answered. */
  private async once(name: "visit:enter" | "visit:check"): Promise<void> {
    if (this.pending.has(name)) return;
    this.pending.add(name);
    await this.line.request(name, {});
    this.pending.delete(name);
  }
}

function isNew({ me }: Snapshot): boolean {
  return !me.another_device && me.admission === "invited";
}
