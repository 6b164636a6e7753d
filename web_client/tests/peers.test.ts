import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Peers } from "../src/media/peers";
import type { VisitNews } from "../src/protocol";
import { HANDOVER_MOST, HANDOVER_SETTLED, HANDOVER_TICK } from "../src/timing";

class Track extends EventTarget {
  constructor(readonly kind: "audio" | "video") {
    super();
  }
}

class Stream extends EventTarget {
  readonly tracks = [new Track("audio"), new Track("video")];

  constructor(readonly id: string) {
    super();
  }

  getTracks(): Track[] {
    return this.tracks;
  }
}

/** As much of a peer connection as is asked of one, moved by the test instead of a network. */
class Connection extends EventTarget {
  connectionState: RTCPeerConnectionState = "new";
  localDescription = { sdp: "answer" };
  streams: Stream[] = [];
  heard = new Set<Stream>();
  readonly sent: unknown[] = [null, null];

  async setRemoteDescription(): Promise<void> {}

  async setLocalDescription(): Promise<void> {}

  getTransceivers() {
    return this.sent.map((_track, index) => ({
      direction: "sendonly",
      sender: {
        replaceTrack: async (track: unknown) => {
          this.sent[index] = track;
        },
        getParameters: () => ({ encodings: [] }),
      },
    }));
  }

  getReceivers() {
    return this.streams.flatMap((stream) =>
      stream.tracks.map((track) => ({
        track,
        getSynchronizationSources: () => (this.heard.has(stream) ? [{}] : []),
      })),
    );
  }

  brings(id: string): Stream {
    const stream = new Stream(id);
    this.streams.push(stream);
    this.dispatchEvent(Object.assign(new Event("track"), { streams: [stream] }));
    return stream;
  }

  becomes(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.dispatchEvent(new Event("connectionstatechange"));
  }

  close(): void {
    this.connectionState = "closed";
  }
}

const MICROPHONE = new Track("audio") as unknown as MediaStreamTrack;
const CAMERA = new Track("video") as unknown as MediaStreamTrack;

let connections: Connection[];
let told: number;
let playing: ReadonlyMap<string, unknown>;
let states: RTCPeerConnectionState[];
let peers: Peers;

beforeEach(() => {
  vi.useFakeTimers();
  connections = [];
  told = 0;
  vi.stubGlobal(
    "RTCPeerConnection",
    class extends Connection {
      constructor() {
        super();
        connections.push(this);
      }
    },
  );
  peers = new Peers({
    answer: () => undefined,
    onStreams: (streams) => {
      told += 1;
      playing = streams;
    },
    onConnection: (now) => {
      states = now;
    },
    onUnusable: () => undefined,
  });
});

afterEach(() => {
  peers.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Both connections of a new session, as its server offers them. */
async function offered(session: string): Promise<[Connection, Connection]> {
  const made = connections.length;
  for (const connection of ["send", "receive"] as const) {
    const offer: VisitNews["media:offer"] = {
      connection,
      peer: `${session} ${connection}`,
      number: 1,
      sdp: "",
    };
    peers.accept(offer);
    await vi.advanceTimersByTimeAsync(0);
  }
  return connections.slice(made) as [Connection, Connection];
}

async function up(session: string): Promise<[Connection, Connection]> {
  const pair = await offered(session);
  for (const connection of pair) connection.becomes("connected");
  return pair;
}

describe("a visit that moves to another server", () => {
  it("is heard over the former connection until the new one carries each person", async () => {
    const [, former] = await up("a");
    const before = { ann: former.brings("ann"), bob: former.brings("bob") };
    peers.handOver();
    const [, next] = await up("b");
    const after = { ann: next.brings("ann"), bob: next.brings("bob") };
    expect(Object.fromEntries(playing)).toEqual(before);
    next.heard.add(after.bob);
    await vi.advanceTimersByTimeAsync(HANDOVER_TICK);
    expect(Object.fromEntries(playing)).toEqual({ ann: before.ann, bob: after.bob });
    next.heard.add(after.ann);
    await vi.advanceTimersByTimeAsync(HANDOVER_TICK);
    expect(Object.fromEntries(playing)).toEqual(after);
  });

  it("believes the new connection a second after it is up, and not before it is", async () => {
    const [, former] = await up("a");
    const before = former.brings("ann");
    peers.handOver();
    const [, next] = await offered("b");
    const after = next.brings("ann");
    await vi.advanceTimersByTimeAsync(HANDOVER_SETTLED + HANDOVER_TICK);
    expect(playing.get("ann")).toBe(before);
    next.becomes("connected");
    await vi.advanceTimersByTimeAsync(HANDOVER_SETTLED);
    expect(playing.get("ann")).toBe(after);
  });

  it("shows somebody new at once", async () => {
    await up("a");
    peers.handOver();
    const [, next] = await offered("b");
    const after = next.brings("ann");
    expect(playing.get("ann")).toBe(after);
  });

  it("lets the former connections go in the end, with whoever did not come along", async () => {
    const pair = await up("a");
    pair[1].brings("ann");
    peers.handOver();
    await up("b");
    await vi.advanceTimersByTimeAsync(HANDOVER_MOST);
    expect(pair.map((connection) => connection.connectionState)).toEqual(["closed", "closed"]);
    expect(playing.size).toBe(0);
  });

  it("disturbs nobody while nothing changes", async () => {
    const [, former] = await up("a");
    former.brings("ann");
    peers.handOver();
    const before = told;
    await vi.advanceTimersByTimeAsync(5 * HANDOVER_TICK);
    expect(told).toBe(before);
  });

  it("sends sound on both, and the picture on the new one as soon as that is up", async () => {
    await peers.sendTracks(MICROPHONE, CAMERA);
    const [former] = await up("a");
    peers.handOver();
    const [next] = await offered("b");
    expect(former.sent).toEqual([MICROPHONE, CAMERA]);
    next.becomes("connected");
    expect(former.sent).toEqual([MICROPHONE, null]);
    expect(next.sent).toEqual([MICROPHONE, CAMERA]);
  });

  it("keeps nothing flowing that was switched off", async () => {
    await peers.sendTracks(MICROPHONE, CAMERA);
    const [former] = await up("a");
    peers.handOver();
    await peers.sendTracks(null, null);
    expect(former.sent).toEqual([null, null]);
  });

  it("judges the connection by the new pair alone", async () => {
    const [former] = await up("a");
    peers.handOver();
    await up("b");
    former.becomes("failed");
    expect(states).toEqual(["connected", "connected"]);
  });

  it("twice in a moment still plays what flows", async () => {
    const [, former] = await up("a");
    const before = former.brings("ann");
    peers.handOver();
    const unborn = await offered("b");
    peers.handOver();
    expect(unborn.map((connection) => connection.connectionState)).toEqual(["closed", "closed"]);
    expect(playing.get("ann")).toBe(before);
    peers.handOver(); // before the next server has offered anything
    expect(playing.get("ann")).toBe(before);
  });
});

it("closes everything at once, wherever it came from", async () => {
  const former = await up("a");
  former[1].brings("ann");
  peers.handOver();
  const next = await up("b");
  peers.close();
  expect([...former, ...next].map((connection) => connection.connectionState)).toEqual(
    Array(4).fill("closed"),
  );
  expect(playing.size).toBe(0);
  await vi.advanceTimersByTimeAsync(HANDOVER_MOST);
  expect(playing.size).toBe(0);
});

it("replaces a connection at once when its server makes it anew", async () => {
  const [, former] = await up("a");
  former.brings("ann");
  await offered("a again");
  expect(former.connectionState).toBe("closed");
  expect(playing.size).toBe(0);
});
