import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Outcome } from "../src/net/api";
import { Line } from "../src/net/line";
import type { Problem, VisitSignals } from "../src/protocol";
import {
  ANSWER_WITHIN,
  OPEN_FIRST,
  OPEN_MOST,
  PROOF_WITHIN,
  QUICK_FOR,
  QUICK_MOST,
  RETRY_FIRST,
  RETRY_MOST,
  SEEK_AFTER,
} from "../src/timing";
import { socket, sockets } from "./sockets";

vi.mock("socket.io-client", () => import("./sockets"));

const HERE = "https://visits.example/n/a";
const THERE = "https://visits.example/n/b";

interface Reply {
  token: string;
  expires_in: number;
  signal_url: string;
}

let answers: Outcome<Reply>[] = []; // in their order; the last one stays
let patience: number[] = []; // of each request
let told: string[] = [];
let line: Line<Reply, object, VisitSignals>;

function leads(signal_url: string): Outcome<Reply> {
  return { kind: "reply", reply: { token: signal_url.slice(-1), expires_in: 600, signal_url } };
}

function refused(status: number, code: string, rest: Partial<Problem> = {}): Outcome<Reply> {
  return { kind: "refused", problem: { type: "", title: "", status, code, ...rest } as Problem };
}

const MOVING = refused(503, "node_unreachable");
const NOBODY: Outcome<Reply> = { kind: "unreachable" };

async function opens(within: number): Promise<Outcome<Reply>> {
  patience.push(within);
  const answer = answers.length > 1 ? answers.shift() : answers[0];
  if (answer?.kind === "silent") await new Promise((resolve) => setTimeout(resolve, within));
  return answer ?? NOBODY;
}

beforeEach(async () => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1); // the longest pauses
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("removeEventListener", () => undefined);
  vi.stubGlobal("location", { href: "https://visits.example/join" });
  vi.stubGlobal("document", { ...doors(), visibilityState: "visible" });
  sockets.length = 0;
  [answers, patience, told] = [[leads(HERE)], [], []];
  line = new Line<Reply, object, VisitSignals>({
    namespace: "/visit",
    renewSignal: "session:renew",
    open: opens,
    news: {},
    onOpened: ({ signal_url }) => told.push(`opened ${signal_url.slice(-1)}`),
    onRefused: (problem) => told.push(`refused ${problem.code}`),
    onEnded: (code) => told.push(`ended ${code}`),
    onUp: () => told.push("up"),
    onDown: () => told.push("down"),
  });
  await line.open();
  socket().connects();
  answers = [];
  told = [];
});

afterEach(() => {
  line.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function doors() {
  return { addEventListener: () => undefined, removeEventListener: () => undefined };
}

/** The server is gone, and whoever stands before it says so. */
async function loses(): Promise<void> {
  socket().drops();
  socket().fails();
  await vi.advanceTimersByTimeAsync(0);
}

/** Milliseconds until `done`, up to a minute. */
async function until(done: () => boolean): Promise<number> {
  const began = performance.now();
  while (!done() && performance.now() - began < 60_000) await vi.advanceTimersByTimeAsync(10);
  return performance.now() - began;
}

it("connects to where the link leads, with what it gave", () => {
  expect(socket().address).toBe("https://visits.example/visit");
  expect(socket().options.path).toBe("/n/a/socket.io/");
  expect(socket().token).toBe("a");
});

describe("a socket that was lost", () => {
  it("comes back by itself, as the session it was, when its server does", async () => {
    socket().drops();
    await vi.advanceTimersByTimeAsync(RETRY_FIRST);
    socket().connects();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([sockets.length, patience.length]).toEqual([1, 1]);
    expect(told).toEqual(["down", "up"]);
  });

  it("is followed to the server that took the visit over", async () => {
    answers = [leads(THERE)];
    await loses();
    expect(socket().options.path).toBe("/n/b/socket.io/");
    expect(socket().token).toBe("b");
    socket().connects();
    expect(told.at(-1)).toBe("up");
    expect(told.filter((each) => each.startsWith("opened"))).toEqual(["opened b"]);
  });

  it("hears nothing more of its former server", async () => {
    answers = [leads(THERE)];
    await loses();
    const [former] = sockets;
    told = [];
    former?.tell("connect");
    former?.tell("session:ended", { code: "visit_ended" });
    expect(told).toEqual([]);
  });

  it("is not replaced by a new session when the link leads back to the same server", async () => {
    answers = [leads(HERE)];
    await loses();
    expect(sockets).toHaveLength(1);
    expect(socket().dials).toBe(2); // at once: the server answers
    socket().connects();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(patience).toHaveLength(2);
    expect(told.filter((each) => each.startsWith("opened"))).toEqual([]);
  });

  it("is not interrupted in the middle of a try", async () => {
    answers = [MOVING, leads(HERE)];
    await loses();
    expect(socket().dials).toBe(2);
    socket().fails();
    socket().io.tell("reconnect_attempt");
    await vi.advanceTimersByTimeAsync(QUICK_MOST);
    expect(patience).toHaveLength(3);
    expect(socket().dials).toBe(2);
  });

  it("asks no more once it is up again", async () => {
    answers = [NOBODY];
    await loses();
    socket().connects();
    const asked = patience.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(patience).toHaveLength(asked);
  });

  it("asks elsewhere when its server is gone without a word", async () => {
    answers = [leads(THERE)];
    socket().drops("ping timeout");
    await vi.advanceTimersByTimeAsync(SEEK_AFTER - 1);
    expect(sockets).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sockets).toHaveLength(2);
  });

  it("asks elsewhere when the server it was led to does not take it", async () => {
    answers = [leads(THERE), MOVING, leads(HERE)];
    await loses();
    socket().fails();
    await until(() => sockets.length === 3);
    expect(socket().options.path).toBe("/n/a/socket.io/");
  });
});

describe("while a visit is being taken over", () => {
  it.each([
    ["the other servers ask for patience", MOVING],
    ["the store is away", refused(503, "store_unavailable")],
    ["the proxy has nobody to ask", NOBODY],
  ])("the link is tried again within a second: %s", async (_name, answer) => {
    answers = [answer];
    await loses();
    await vi.advanceTimersByTimeAsync(3_000);
    const asked = patience.length;
    expect(asked).toBeGreaterThanOrEqual(4);
    answers = [leads(THERE)];
    expect(await until(() => sockets.length === 2)).toBeLessThanOrEqual(QUICK_MOST + 10);
  });

  it("the server's own wish for a pause is kept", async () => {
    answers = [refused(503, "not_owner", { retry_after: 1.5 }), leads(THERE)];
    await loses();
    expect(await until(() => sockets.length === 2)).toBeCloseTo(1_500, -2);
  });

  it("an answer that hangs is not waited for, and a slow network gets longer", async () => {
    answers = [{ kind: "silent" }, { kind: "silent" }, { kind: "silent" }, leads(THERE)];
    await loses();
    await until(() => sockets.length === 2);
    expect(patience).toEqual([OPEN_MOST, OPEN_FIRST, 2 * OPEN_FIRST, OPEN_MOST, OPEN_MOST]);
  });

  it("what people press waits for the next server", async () => {
    answers = [leads(THERE)];
    socket().drops();
    const pressed = line.request("visit:end", {});
    socket().fails();
    await vi.advanceTimersByTimeAsync(0);
    expect(socket().sent).toEqual([]);
    socket().connects();
    expect(await pressed).toEqual({ ok: true });
    expect(socket().sent).toEqual([["visit:end", {}]]);
  });

  it("what people pressed is withdrawn when it comes too late", async () => {
    socket().drops();
    const pressed = line.request("visit:end", {});
    await vi.advanceTimersByTimeAsync(ANSWER_WITHIN);
    expect(await pressed).toMatchObject({ error: { code: "no_answer" } });
    socket().connects();
    expect(socket().sent).toEqual([]);
  });
});

it("asks calmly when nobody has answered for long", async () => {
  answers = [NOBODY];
  await loses();
  await vi.advanceTimersByTimeAsync(QUICK_FOR);
  const asked = patience.length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(patience.length - asked).toBeLessThanOrEqual(60_000 / RETRY_MOST + 1);
});

describe("a session", () => {
  it("that its server lets go is opened anew at once", async () => {
    answers = [leads(THERE)];
    socket().drops("io server disconnect");
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(["down", "opened b"]);
  });

  it("whose token is refused is opened anew, even at the same server, and ever more slowly", async () => {
    answers = [leads(HERE)];
    socket().drops();
    const times: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const before = sockets.length;
      socket().fails(false);
      times.push(await until(() => sockets.length > before));
    }
    expect(times[0]).toBeLessThanOrEqual(10);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[3]).toBeGreaterThan(RETRY_FIRST);
  });

  it("ends when the door is closed to it", async () => {
    answers = [refused(403, "visit_over")];
    await loses();
    expect(told.at(-1)).toBe("refused visit_over");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(patience).toHaveLength(2);
  });

  it("outlives its link where its server still takes it", async () => {
    answers = [refused(404, "link_unknown")];
    await loses();
    expect(socket().dials).toBe(2);
    await vi.advanceTimersByTimeAsync(QUICK_FOR / 2);
    socket().connects();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told.at(-1)).toBe("up");
  });

  it("does not outlive its link where nobody does", async () => {
    answers = [refused(404, "link_unknown")];
    await loses();
    await vi.advanceTimersByTimeAsync(2 * QUICK_FOR);
    expect(told.at(-1)).toBe("refused link_unknown");
  });

  it("that was stopped asks for nothing", async () => {
    answers = [leads(THERE)];
    line.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([sockets.length, patience.length]).toEqual([1, 1]);
  });
});

it("replaces a socket that looks up and is dead", async () => {
  socket().answer = () => undefined;
  const proof = line.prove();
  await vi.advanceTimersByTimeAsync(PROOF_WITHIN);
  await proof;
  expect(socket().dials).toBe(2);
  answers = [leads(THERE)];
  await vi.advanceTimersByTimeAsync(SEEK_AFTER);
  expect(sockets).toHaveLength(2);
});
