import { io, type Socket } from "socket.io-client";
import { networkInformation } from "../lib/network";
import type { Ack, Problem, Renewal, SessionOver } from "../protocol";
import { ANSWER_WITHIN, PROOF_WITHIN, RENEW_AT, RETRY_FIRST, RETRY_MOST } from "../timing";
import type { Outcome } from "./api";
import { backoff, pause } from "./backoff";

interface Opened {
  token: string;
  expires_in: number;
  signal_url: string;
}

type Signals = Record<keyof never, { payload: unknown; result: unknown }>;

export interface LineOptions<Reply extends Opened, News> {
  namespace: "/visit" | "/desk";
  renewSignal: "session:renew" | "desk:renew";
  open: () => Promise<Outcome<Reply>>;
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
 */
export class Line<Reply extends Opened, News, Out extends { [K in keyof Out]: Signals[never] }> {
  private socket: Socket | null = null;
  private token = "";
  private renewal: ReturnType<typeof setTimeout> | undefined;
  private wanted = false;
  private opening = false;
  private proving = false;
  private openedOnce = false;
  private refusals = 0;

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
    if (this.opening) return;
    this.opening = true;
    try {
      await this.openUntilAnswered();
    } finally {
      this.opening = false;
    }
  }

  /** The token of the session, for a request that cannot wait for the socket. */
  get credential(): string {
    return this.token;
  }

  stop(): void {
    this.wanted = false;
    clearTimeout(this.renewal);
    this.socket?.disconnect();
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
    if (!this.socket) return lost;
    try {
      return await this.socket.timeout(ANSWER_WITHIN).emitWithAck(name, payload);
    } catch {
      return lost;
    }
  }

  /** Sends what is worth something now or never, and waits for nothing. */
  mention<Name extends keyof Out & string>(name: Name, payload: Out[Name]["payload"]): void {
    this.socket?.volatile.emit(name, payload);
  }

  private async openUntilAnswered(): Promise<void> {
    for (let attempt = 0; this.wanted; attempt += 1) {
      const outcome = await this.options.open();
      if (!this.wanted) return;
      if (outcome.kind === "reply") return this.accept(outcome.reply);
      if (outcome.kind === "refused" && !this.worthRetrying(outcome.problem)) {
        this.stop();
        return this.options.onRefused(outcome.problem);
      }
      this.options.onDown();
      const asked = outcome.kind === "refused" ? (outcome.problem.retry_after ?? 0) * 1000 : 0;
      await pause(Math.max(backoff(attempt), asked));
    }
  }

  private worthRetrying(problem: Problem): boolean {
    return problem.status >= 500 || (problem.status === 429 && this.openedOnce);
  }

  private accept(reply: Reply): void {
    this.openedOnce = true;
    this.keep(reply);
    this.options.onOpened(reply);
    this.socket?.removeAllListeners().disconnect();
    this.socket = this.dial(reply.signal_url);
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
    socket.on("connect", () => {
      this.refusals = 0;
      this.options.onUp();
    });
    socket.on("disconnect", (reason) => {
      this.options.onDown();
      if (reason === "io server disconnect") void this.reopen();
    });
    socket.on("connect_error", () => {
      this.options.onDown();
      if (!socket.active) void this.reopen(); // the server answered, and said no to the token
    });
  }

  private ended(code: SessionOver["code"]): void {
    if (code === "token_expired") return; // the disconnect that follows opens the link again
    this.stop();
    this.options.onEnded(code);
  }

  private async reopen(): Promise<void> {
    if (!this.wanted) return;
    if (this.refusals > 0) await pause(backoff(this.refusals));
    this.refusals += 1;
    await this.open();
  }

  /** On another network, or after sleep, a socket that looks up may be dead and not know it yet. */
  private async prove(): Promise<void> {
    const { socket } = this;
    if (!this.wanted || this.proving || !socket?.active) return;
    this.proving = true;
    const alive = socket.connected && (await this.renewed(socket));
    this.proving = false;
    if (!alive && this.wanted && socket === this.socket) socket.disconnect().connect();
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
