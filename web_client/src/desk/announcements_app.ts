import { Store } from "../lib/store";
import { Player } from "../media/player";
import { Recorder } from "../media/recorder";
import { allowSound } from "../media/sound";
import { AnnouncementsApi, type Got } from "../net/announcements";
import type { Prompt } from "../protocol";
import {
  type AnnouncementsEvent,
  type AnnouncementsState,
  announcementsAfter,
  announcementsAtFirst,
} from "../state/announcements";

const LARGEST = 5 * 1024 * 1024; // bytes; what the server takes

/** Hears, records, sends and removes the practice's announcements. */
export class AnnouncementsApp {
  readonly store: Store<AnnouncementsState, AnnouncementsEvent>;
  private readonly api: AnnouncementsApi;
  private readonly player = new Player();
  private turn = 0; // of listening
  private readonly recorder = new Recorder({
    onStarted: () => this.store.send({ type: "recording" }),
    onRecorded: (audio) => this.draft(this.store.state.work?.prompt ?? null, audio),
    onTrouble: (trouble) => this.fail(this.store.state.work?.prompt ?? null, `device.${trouble}`),
  });

  constructor(credential: () => string, language: string) {
    this.api = new AnnouncementsApi(credential);
    this.store = new Store(announcementsAfter, announcementsAtFirst(language));
  }

  async load(): Promise<void> {
    this.store.send({ type: "loading" });
    const got = await this.api.read();
    if ("code" in got) this.fail(null, got.code);
    else this.store.send({ type: "loaded", announcements: got.value });
  }

  /** Lets go of the microphone and falls silent. */
  close(): void {
    this.recorder.cancel();
    this.stopHearing();
  }

  choose(language: string): void {
    this.stopHearing();
    this.store.send({ type: "chose", language });
  }

  record(prompt: Prompt): void {
    this.stopHearing();
    this.store.send({ type: "began", prompt });
    void this.recorder.start();
  }

  stopRecording(): void {
    this.recorder.stop();
  }

  draft(prompt: Prompt | null, audio: Blob): void {
    if (!prompt) return;
    this.stopHearing();
    if (audio.size > LARGEST) this.fail(prompt, "prompt_too_long");
    else this.store.send({ type: "drafted", prompt, audio });
  }

  discard(): void {
    this.close();
    this.store.send({ type: "discarded" });
  }

  async keep(): Promise<void> {
    const { work, language } = this.store.state;
    if (work?.step !== "draft") return;
    this.stopHearing();
    this.store.send({ type: "sending" });
    const got = await this.api.keep(work.prompt, language, work.audio);
    this.settle(work.prompt, got, "kept");
  }

  async remove(prompt: Prompt): Promise<void> {
    if (this.store.state.work) return;
    this.stopHearing();
    this.store.send({ type: "removing", prompt });
    const got = await this.api.remove(prompt, this.store.state.language);
    this.settle(prompt, got, "removed");
  }

  /** Plays what is to be kept, or else what a telephone hears now. */
  async hear(prompt: Prompt): Promise<void> {
    allowSound();
    this.stopHearing();
    const { turn } = this;
    const { work, language } = this.store.state;
    this.store.send({ type: "playing", prompt });
    const own = work?.step === "draft" && work.prompt === prompt;
    const got = own ? { value: work.audio } : await this.api.hear(prompt, language);
    if (turn !== this.turn) return;
    const code = "code" in got ? got.code : await this.played(got.value);
    if (turn !== this.turn) return;
    this.store.send({ type: "playing", prompt: null });
    if (code) this.fail(prompt, code);
  }

  stopHearing(): void {
    this.turn += 1;
    this.player.stop();
    this.store.send({ type: "playing", prompt: null });
  }

  private async played(audio: Blob): Promise<string> {
    try {
      await this.player.play(audio);
      return "";
    } catch {
      return "not_played";
    }
  }

  private settle(prompt: Prompt, got: Got<null>, type: "kept" | "removed"): void {
    if ("code" in got) this.fail(prompt, got.code);
    else this.store.send({ type });
  }

  private fail(prompt: Prompt | null, code: string): void {
    this.store.send({ type: "failed", prompt, code });
  }
}
