import { describe, expect, it } from "vitest";
import { type Counted, countedIn, hear, NEW_EAR } from "../src/media/hearing";
import type { MediaHeard } from "../src/protocol";
import { STEADY_COUNTS } from "../src/timing";

const sound = (id: string, change: object) => ({
  id,
  type: "inbound-rtp",
  kind: "audio",
  ...change,
});

describe("counting what was heard", () => {
  it("counts sound, silence aside, and no pictures", () => {
    const counted = countedIn([
      sound("a", { totalSamplesReceived: 100, concealedSamples: 30, silentConcealedSamples: 10 }),
      sound("b", { totalSamplesReceived: 50, jitterBufferDelay: 2, jitterBufferEmittedCount: 40 }),
      { id: "v", type: "inbound-rtp", kind: "video", jitterBufferDelay: 9 },
      { id: "p", type: "candidate-pair", nominated: false, currentRoundTripTime: 9 },
      { id: "q", type: "candidate-pair", nominated: true, currentRoundTripTime: 0.08 },
    ]);
    expect(counted.roundTrip).toBe(0.08);
    expect([...counted.streams]).toEqual([
      ["a", { samples: 100, concealed: 20, waited: 0, emitted: 0 }],
      ["b", { samples: 50, concealed: 0, waited: 2, emitted: 40 }],
    ]);
  });
});

/** One second of one stream: played samples, of them made up, and the delay of the buffer. */
type Second = { samples?: number; concealed?: number; delay?: number } | null;

const GOOD: Second = {};
const steady: Second[] = Array.from({ length: STEADY_COUNTS + 1 }, () => GOOD);

/** Plays seconds of each stream side by side; null is a second in which nothing arrives. */
function heardIn(streams: Record<string, Second[]>, roundTrip: number | null = null) {
  const totals = new Map(Object.keys(streams).map((id) => [id, [0, 0, 0, 0]]));
  const length = Math.max(...Object.values(streams).map((seconds) => seconds.length));
  const said: (MediaHeard | null)[] = [];
  let ear = NEW_EAR;
  for (let second = 0; second < length; second += 1) {
    const counted = new Map<
      string,
      { samples: number; concealed: number; waited: number; emitted: number }
    >();
    for (const [id, seconds] of Object.entries(streams)) {
      const total = totals.get(id) ?? [];
      const now = seconds[second];
      if (now) {
        const samples = now.samples ?? 48_000;
        const add = [samples, now.concealed ?? 0, samples * (now.delay ?? 0.05), samples];
        add.forEach((value, index) => {
          total[index] = (total[index] ?? 0) + value;
        });
      }
      const [samples = 0, concealed = 0, waited = 0, emitted = 0] = total;
      counted.set(id, { samples, concealed, waited, emitted });
    }
    const all: Counted = { streams: counted, roundTrip };
    const [next, heard] = hear(ear, all);
    ear = next;
    said.push(heard);
  }
  return said;
}

describe("the last second", () => {
  it("is a share of samples and a mean delay, of all who are heard steadily", () => {
    const bad: Second = { concealed: 9_600, delay: 0.15 };
    const last = heardIn({ a: [...steady, bad], b: [...steady, GOOD] }, 0.2).at(-1);
    expect(last?.concealed).toBeCloseTo(0.1);
    expect(last?.buffer).toBeCloseTo(0.1);
    expect(last?.round_trip).toBe(0.2);
  });

  it("is unknown while nobody has been heard for long enough, and when nothing arrives", () => {
    expect(heardIn({ a: steady.slice(0, -1) }).every((heard) => heard === null)).toBe(true);
    expect(heardIn({ a: steady }).at(-1)).not.toBeNull();
    expect(heardIn({ a: [...steady, null] }).at(-1)).toBeNull();
  });

  it("says nothing of the lateness of somebody whose sound has just come back", () => {
    const late: Second = { delay: 1.2 };
    const said = heardIn({ a: [...steady, null, late, late], b: [...steady, GOOD, GOOD, GOOD] });
    expect(said.at(-1)?.buffer).toBeCloseTo(0.05);
    expect(heardIn({ a: [...steady, null, late, late] }).at(-1)).toBeNull();
  });

  it("never says what the server would refuse", () => {
    const odd: Second = { samples: 10, concealed: 20, delay: 99 };
    expect(heardIn({ a: [...steady, odd] }, 99).at(-1)).toEqual({
      concealed: 1,
      buffer: 60,
      round_trip: 60,
    });
  });
});
