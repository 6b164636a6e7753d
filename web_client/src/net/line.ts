import { io, type Socket } from "socket.io-client";
import { networkInformation } from "../lib/network";
import type { Ack, Problem, Renewal, SessionOver } from "../protocol";
import {
  ANSWER_WITHIN,
  CONNECT_WITHIN,
  PROOF_WITHIN,
  RENEW_AT,
  RETRY_FIRST,
  RETRY_MOST,
  SEEK_AFTER,
} from "../timing";
import type { Outcome } from "./api";
import { backoff, pause } from "./backoff";
import { Patience } from "./patience";

interface Opened {
  token: string;
  expires_in: number;
  signal_url: string;
}

type Signals = Record<keyof never, { payload: unknown; result: unknown }>;

export interface LineOptions<Reply extends Opened, News> {
  namespace: "/visit" | "/desk";
  renewSignal: "session:renew" | "desk:renew";
  /** Opens the link, with so many milliseconds for the answer. */
  open: (within: number) => Promise<Outcome<Reply>>;
  news: { [Name in keyof News]: (payload: News[Name]) => void };
  onOpened: (reply: Reply) => void;
  onRefused: (problem: Problem) => void;
  onEnded: (code: SessionOver["code"]) => void;
  onUp: () => void;
  onDown: () => void;
}

/**
 * One page's line to the server: opens the link, keeps a socket, renews the token, and comes back
 * for ever after any loss. It stops only when the server refuses the link, ends the session, or
 * `stop` is called.
 *
 * A lost socket tries to come back as it was, with its session and its media. When that fails, the
 * link is opened again beside it, to learn where the visit is now: an answer that leads elsewhere
 * is followed, and one that leads back sends the socket on its way at once.
 */
export class Line<Reply extends Opened, News, Out extends { [K in keyof Out]: Signals[never] }> {
  private socket: Socket | null = null;
  private token = "";
  private renewal: ReturnType<typeof setTimeout> | undefined;
  private address = ""; // where the socket is, or tries to be
  private seeking: ReturnType<typeof setTimeout> | undefined;
  private wanted = false;
  private afresh = false; // nothing but a new session will do
  private asking = false;
  private resting = false; // the socket waits before it tries again
  private proving = false;
  private readonly patience = new Patience();
  private readonly waiting = new Set<(socket: Socket | null) => void>();

  constructor(private readonly options: LineOptions<Reply, News>) {
    addEventListener("online", () => void this.prove());
    networkInformation()?.addEventListener("change", () => void this.prove());
    addEventListener("offline", () => this.socket?.io.engine?.close()); // do not wait for a timeout
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void this.prove();
    });
  }

  /** Opens the link, again if need be: each opening is a new session of the same device. */
  async open(): Promise<void> {
    this.wanted = true;
    this.afresh = true;
    this.patience.begin();
    await this.ask();
  }

  /** The token of the session, for a request that cannot wait for the socket. */
  get credential(): string {
    return this.token;
  }

  stop(): void {
    this.wanted = false;
    clearTimeout(this.renewal);
    this.socket?.disconnect();
    clearTimeout(this.seeking);
    this.answerWaiting(null);
  }

  /**
   * Sends a signal, as soon as the socket is up, and waits for its answer. Without one in time the
   * signal is withdrawn, so that nothing old happens late, and the answer's code is `no_answer`.
   */
  async request<Name extends keyof Out & string>(
    name: Name,
    payload: Out[Name]["payload"],
  ): Promise<Ack<Out[Name]["result"]>> {
    const lost = { error: { code: "no_answer", title: "" } };
    const until = performance.now() + ANSWER_WITHIN;
    const socket = this.socket?.connected ? this.socket : await this.nextSocket();
    if (!socket) return lost;
    try {
      return await socket.timeout(until - performance.now()).emitWithAck(name, payload);
    } catch {
      return lost;
    }
  }

  /** Sends what is worth something now or never, and waits for nothing. */
  mention<Name extends keyof Out & string>(name: Name, payload: Out[Name]["payload"]): void {
    this.socket?.volatile.emit(name, payload);
  }

  /** The socket that comes up next, here or at another server; null if none does in time. */
  private nextSocket(): Promise<Socket | null> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(null), ANSWER_WITHIN);
      const settle = (socket: Socket | null): void => {
        clearTimeout(timer);
        this.waiting.delete(settle);
        resolve(socket);
      };
      this.waiting.add(settle);
    });
  }

  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      while (this.isLost && !(await this.askOnce()));
    } finally {
      this.asking = false;
    }
  }

  private get isLost(): boolean {
    return this.wanted && (this.afresh || !this.socket?.connected);
  }

  /** Opens the link once, and says whether that settled it. */
  private async askOnce(): Promise<boolean> {
    const rest = this.patience.rest();
    if (rest > 0) await pause(rest);
    if (!this.isLost) return true;
    const outcome = await this.options.open(this.patience.within);
    this.patience.met(outcome);
    if (!this.isLost) return true;
    if (outcome.kind === "reply" && (this.afresh || outcome.reply.signal_url !== this.address)) {
      this.accept(outcome.reply);
      return true;
    }
    if (outcome.kind === "refused" && this.patience.isFinal(outcome.problem, this.afresh)) {
      this.stop();
      this.options.onRefused(outcome.problem);
      return true;
    }
    this.options.onDown();
    const answered = outcome.kind === "reply" || outcome.kind === "refused";
    if (answered && this.resting && this.socket) this.dialAgain(this.socket); // need not wait
    return false;
  }

  private dialAgain(socket: Socket): void {
    socket.disconnect().connect();
    this.resting = false;
  }

  private answerWaiting(socket: Socket | null): void {
    for (const settle of [...this.waiting]) settle(socket);
  }

  private accept(reply: Reply): void {
    this.afresh = false;
    this.keep(reply);
    this.options.onOpened(reply);
    this.socket?.removeAllListeners().disconnect();
    this.address = reply.signal_url;
    this.socket = this.dial(reply.signal_url);
    this.seekSoon();
  }

  private dial(signalUrl: string): Socket {
    const url = new URL(signalUrl, location.href);
    const path = url.pathname.endsWith("/socket.io/")
      ? url.pathname
      : `${url.pathname.replace(/\/$/, "")}/socket.io/`;
    const socket = io(url.origin + this.options.namespace, {
      path,
      forceNew: true,
      auth: (send) => send({ token: this.token }),
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      timeout: CONNECT_WITHIN,
      reconnectionDelay: RETRY_FIRST,
      reconnectionDelayMax: RETRY_MOST,
    });
    this.hear(socket);
    return socket;
  }

  private hear(socket: Socket): void {
    for (const [name, hear] of Object.entries(this.options.news)) {
      socket.on(name, hear as (payload: unknown) => void);
    }
    socket.on("session:ended", ({ code }: { code: SessionOver["code"] }) => this.ended(code));
    socket.io.on("reconnect_attempt", () => {
      this.resting = false;
    });
    socket.on("connect", () => this.up(socket));
    socket.on("disconnect", (reason) => {
      this.options.onDown();
      this.patience.lost();
      this.resting = true;
      if (reason === "io server disconnect") void this.reopen();
      else this.seekSoon();
    });
    socket.on("connect_error", () => {
      this.options.onDown();
      this.resting = socket.active;
      if (socket.active) void this.ask();
      else void this.reopen(); // the server answered, and said no to the token
    });
  }

  private up(socket: Socket): void {
    clearTimeout(this.seeking);
    this.resting = false;
    this.patience.begin();
    this.options.onUp();
    this.answerWaiting(socket);
  }

  /** A socket whose server is gone without a word may try for long before it fails. */
  private seekSoon(): void {
    clearTimeout(this.seeking);
    this.seeking = setTimeout(() => void this.ask(), SEEK_AFTER);
  }

  private ended(code: SessionOver["code"]): void {
    if (code === "token_expired") return; // the disconnect that follows opens the link again
    this.stop();
    this.options.onEnded(code);
  }

  private async reopen(): Promise<void> {
    this.afresh = true;
    await this.ask();
  }

  /**
   * On another network, after sleep, or without media, a socket that looks up may be dead and not
   * know it yet.
   */
  async prove(): Promise<void> {
    const { socket } = this;
    if (!this.wanted || this.proving || !socket?.active) return;
    this.proving = true;
    const alive = socket.connected && (await this.renewed(socket));
    this.proving = false;
    if (!alive && this.wanted && socket === this.socket) this.dialAgain(socket);
  }

  private async renewed(socket: Socket): Promise<boolean> {
    try {
      const signal = this.options.renewSignal;
      const answer: Ack<Renewal> = await socket.timeout(PROOF_WITHIN).emitWithAck(signal, {});
      if ("ok" in answer) this.keep(answer);
      return true;
    } catch {
      return false;
    }
  }

  private keep(renewal: Renewal): void {
    this.token = renewal.token;
    clearTimeout(this.renewal);
    this.renewal = setTimeout(() => void this.renew(), renewal.expires_in * 1000 * RENEW_AT);
  }

  private async renew(): Promise<void> {
    for (let attempt = 0; this.wanted && this.socket?.connected; attempt += 1) {
      const name = this.options.renewSignal as keyof Out & string;
      const answer = (await this.request(name, {})) as Ack<Renewal>;
      if ("ok" in answer) return this.keep(answer);
      await pause(backoff(attempt));
    }
  }
}
