import { Store } from "../lib/store";
import { allowSound, allowSoundSoon, chime, watchSound } from "../media/sound";
import { openDesk } from "../net/api";
import { Line } from "../net/line";
import type { Ack, DeskNews, DeskReply, DeskSignals } from "../protocol";
import { arrivalKey, arrivalsAfter, NO_ARRIVALS, notice } from "../state/arrivals";
import { DESK_AT_FIRST, type DeskEvent, type DeskState, deskAfter } from "../state/desk";
import { ARRIVAL_APART } from "../timing";

type News = Omit<DeskNews, "session:ended">;

/** Everything the desk page does: hears who arrives, makes itself heard, and sends decisions. */
export class DeskApp {
  readonly store = new Store<DeskState, DeskEvent>(deskAfter, DESK_AT_FIRST);
  private readonly line: Line<DeskReply, News, DeskSignals>;
  private arrivals = NO_ARRIVALS;

  constructor(code: string) {
    this.line = new Line({
      namespace: "/desk",
      renewSignal: "desk:renew",
      open: (within) => openDesk(code, within),
      news: {
        "desk:changed": (desk) => this.store.send({ type: "changed", desk, at: Date.now() }),
      },
      onOpened: () => undefined, // the first snapshot comes over the socket
      onRefused: (problem) => this.store.send({ type: "refused", problem }),
      onEnded: (ended) => this.store.send({ type: "ended", code: ended }),
      onUp: () => this.store.send({ type: "lineUp" }),
      onDown: () => this.store.send({ type: "lineDown", at: Date.now() }),
    });
    this.store.listen(() => this.listenForArrivals());
  }

  start(): void {
    allowSoundSoon();
    watchSound((allowed) => this.store.send({ type: "soundAllowed", allowed }));
    setInterval(() => this.listenForArrivals(), ARRIVAL_APART);
    void this.line.open();
  }

  /** What requests beside the socket prove themselves with; renewed all the time. */
  get credential(): string {
    return this.line.credential;
  }

  reopen(): void {
    this.store.send({ type: "reopening" });
    void this.line.open();
  }

  allowSound(): void {
    allowSound();
  }

  /** Somebody at this desk has seen that this person waits: no more chimes for them. */
  seen(key: string): void {
    this.arrivals = notice(this.arrivals, key);
    this.store.send({ type: "seen", key });
  }

  /** Into the visit, at a provider's seat: in a tab of its own, so that the desk stays. */
  async openVisit(target: DeskSignals["desk:open"]["payload"]): Promise<void> {
    const tab = window.open("", "_blank"); // now, by the click: a later one counts as a pop-up
    this.store.send({ type: "tried" });
    const answer = await this.line.request("desk:open", target);
    if ("ok" in answer && tab) tab.location.replace(answer.link);
    else tab?.close();
    if ("error" in answer) this.store.send({ type: "failed", code: answer.error.code });
  }

  /** Sends an order whose refusal is shown where the person is looking. */
  ask<Name extends keyof DeskSignals>(
    name: Name,
    payload: DeskSignals[Name]["payload"],
  ): Promise<Ack<DeskSignals[Name]["result"]>> {
    this.store.send({ type: "tried" });
    return this.line.request(name, payload);
  }

  async attempt<Name extends keyof DeskSignals>(
    name: Name,
    payload: DeskSignals[Name]["payload"],
  ): Promise<boolean> {
    const answer = await this.ask(name, payload);
    if ("error" in answer) this.store.send({ type: "failed", code: answer.error.code });
    return "ok" in answer;
  }

  private listenForArrivals(): void {
    const visits = this.store.state.desk?.visits ?? [];
    const keys = visits.flatMap((visit) =>
      visit.waiting.map((person) => arrivalKey(visit.visit, person)),
    );
    const [arrivals, isDue] = arrivalsAfter(this.arrivals, keys, performance.now());
    this.arrivals = arrivals;
    if (isDue) chime("arrival");
  }
}
