import { describe, expect, it } from "vitest";
import { type Counted, countedIn, heardBetween } from "../src/media/hearing";

const sound = (change: object) => ({ type: "inbound-rtp", kind: "audio", ...change });

describe("counting what was heard", () => {
  it("adds up all sound, and no pictures", () => {
    const counted = countedIn([
      sound({ totalSamplesReceived: 100, concealedSamples: 30, silentConcealedSamples: 10 }),
      sound({ totalSamplesReceived: 50, jitterBufferDelay: 2, jitterBufferEmittedCount: 40 }),
      { type: "inbound-rtp", kind: "video", jitterBufferDelay: 9, jitterBufferEmittedCount: 9 },
      { type: "candidate-pair", nominated: false, currentRoundTripTime: 9 },
      { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.08 },
    ]);
    expect(counted).toEqual({
      samples: 150,
      concealed: 20,
      waited: 2,
      emitted: 40,
      roundTrip: 0.08,
    });
  });

  it("knows nothing of a connection that has counted nothing", () => {
    expect(countedIn([]).roundTrip).toBeNull();
  });
});

describe("the last second", () => {
  const first: Counted = { samples: 0, concealed: 0, waited: 0, emitted: 0, roundTrip: null };
  const count = (change: Partial<Counted>): Counted => ({ ...first, ...change });

  it("is a share of samples and a mean delay", () => {
    const after = count({ samples: 48_000, concealed: 4_800, waited: 3_840, emitted: 48_000 });
    expect(heardBetween(first, after)).toEqual({ concealed: 0.1, buffer: 0.08, round_trip: null });
  });

  it("is unknown when nothing was played, or when somebody left with their counts", () => {
    expect(heardBetween(first, first)).toBeNull();
    expect(heardBetween(count({ samples: 10, emitted: 10 }), count({ samples: 5 }))).toBeNull();
  });

  it("never says what the server would refuse", () => {
    const odd = count({ samples: 10, concealed: 20, waited: -5, emitted: 10, roundTrip: 99 });
    expect(heardBetween(first, odd)).toEqual({ concealed: 1, buffer: 0, round_trip: 60 });
  });
});
