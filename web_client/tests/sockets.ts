import { vi } from "vitest";

type Hear = (...news: never[]) => void;

class Emitter {
  private listeners = new Map<string, Hear[]>();

  on(name: string, hear: Hear): this {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), hear]);
    return this;
  }

  removeAllListeners(): this {
    this.listeners.clear();
    return this;
  }

  tell(name: string, ...news: unknown[]): void {
    for (const hear of this.listeners.get(name) ?? []) hear(...(news as never[]));
  }
}

/** What socket.io's client shows of a socket, moved by the test instead of a network. */
export class ScriptedSocket extends Emitter {
  connected = false;
  active = true;
  dials = 1;
  readonly io = Object.assign(new Emitter(), { engine: { close: () => this.drops() } });
  readonly sent: [string, unknown][] = [];
  answer: (name: string) => unknown = () => ({ ok: true });

  constructor(
    readonly address: string,
    readonly options: { path: string; auth: (send: (auth: unknown) => void) => void },
  ) {
    super();
  }

  get token(): unknown {
    let shown: unknown;
    this.options.auth((auth) => {
      shown = auth;
    });
    return (shown as { token: string }).token;
  }

  connects(): void {
    this.connected = true;
    this.tell("connect");
  }

  drops(reason = "transport close"): void {
    this.connected = false;
    this.active = reason !== "io server disconnect";
    this.tell("disconnect", reason);
  }

  fails(active = true): void {
    this.active = active;
    this.tell("connect_error");
  }

  disconnect(): this {
    this.active = false;
    if (this.connected) this.drops("io client disconnect");
    return this;
  }

  connect(): this {
    this.active = true;
    this.dials += 1;
    return this;
  }

  timeout(ms: number): { emitWithAck: (name: string, payload: unknown) => Promise<unknown> } {
    return {
      emitWithAck: (name, payload) => {
        this.sent.push([name, payload]);
        const answer = this.answer(name);
        if (answer !== undefined) return Promise.resolve(answer);
        return new Promise((_resolve, reject) => setTimeout(() => reject(new Error("late")), ms));
      },
    };
  }
}

export const sockets: ScriptedSocket[] = [];

/** The newest socket, which is the one that a page uses. */
export function socket(): ScriptedSocket {
  const newest = sockets.at(-1);
  if (!newest) throw new Error("no socket was dialled");
  return newest;
}

/** Stands in for `io` of socket.io-client. */
export const io = vi.fn((address: string, options: ScriptedSocket["options"]) => {
  const made = new ScriptedSocket(address, options);
  sockets.push(made);
  return made;
});
