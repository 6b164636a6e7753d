import { Store } from "../lib/store";
import { Capture } from "../media/capture";
import { MediaLink } from "../media/link";
import { allowSound, silentTrack } from "../media/sound";
import type { DeviceStatus } from "../state/devices";
import { PhoneLine } from "./phone_line";
import {
  type Microphone,
  PHONE_AT_FIRST,
  type PhoneDeed,
  type PhoneEvent,
  type PhoneNews,
  type PhoneState,
  phoneAfter,
  phoneScreen,
} from "./phone_state";
import { Ring } from "./ring";

/** Everything the demo's phone does: rings, carries sound both ways, and says what was pressed. */
export class PhoneApp {
  readonly store = new Store<PhoneState, PhoneEvent>(phoneAfter, PHONE_AT_FIRST);
  private readonly ring = new Ring();
  private readonly line: PhoneLine;
  private readonly media: MediaLink;
  private readonly capture: Capture;

  constructor() {
    this.line = new PhoneLine({
      onNews: (news) => this.hear(news),
      onAway: () => this.store.send({ type: "away" }),
    });
    this.media = new MediaLink({
      request: async (name, payload) => {
        this.line.send({ type: name, ...payload } as PhoneDeed);
        return { ok: true } as never; // nobody answers on this line; what is lost is asked again
      },
      onStreams: (streams) => this.store.send({ type: "streams", streams }),
      onDown: () => undefined,
      onHeard: () => undefined,
      onHopeless: () => this.line.send({ type: "media:restart" }),
    });
    this.capture = new Capture((_kind, status) => this.microphoneIs(status));
    this.store.listen((next, previous) => this.follow(phoneScreen(previous), phoneScreen(next)));
  }

  switchOn(): void {
    allowSound();
    this.store.send({ type: "switchedOn" });
    this.line.open();
  }

  does(type: "answer" | "decline" | "hang_up"): void {
    this.line.send({ type });
  }

  press(key: string): void {
    this.line.send({ type: "press", key });
    this.store.send({ type: "pressed", key });
  }

  switchVoicemail(on: boolean): void {
    this.line.send({ type: "voicemail", on });
  }

  private hear(news: PhoneNews): void {
    switch (news.type) {
      case "phone:changed":
        this.store.send({ type: "changed", phone: news, at: Date.now() });
        break;
      case "media:offer":
        this.media.accept(news);
        break;
      case "media:state":
        this.media.serverSays(news.state);
        break;
      case "taken":
        this.line.close();
        this.store.send({ type: "taken" });
    }
  }

  private follow(before: string, now: string): void {
    if (before === now) return;
    if (now === "ringing") this.ring.start();
    else this.ring.stop();
    if (now === "talking") this.speak();
    else if (before === "talking") this.fallSilent();
  }

  /** Silence flows until there is a microphone, and instead of one. */
  private speak(): void {
    this.send(silentTrack());
    this.store.send({ type: "microphone", microphone: "asking" });
    void this.capture.start(["microphone"]);
  }

  private fallSilent(): void {
    this.media.close();
    this.capture.stopAll();
  }

  private microphoneIs(status: DeviceStatus): void {
    const microphone: Microphone = status === "on" ? "on" : status === "asking" ? "asking" : "off";
    this.store.send({ type: "microphone", microphone });
    if (phoneScreen(this.store.state) === "talking") {
      this.send(this.capture.track("microphone") ?? silentTrack());
    }
  }

  private send(track: MediaStreamTrack): void {
    void this.media.peers.sendTracks(track, null);
  }
}
