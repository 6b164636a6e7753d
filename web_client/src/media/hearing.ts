import type { MediaHeard } from "../protocol";
import { STEADY_COUNTS } from "../timing";

/** What a browser has counted of one stream of sound since it began. */
interface Counts {
  /** Samples played, made up or not. */
  samples: number;
  /** Samples that were made up and not silent. */
  concealed: number;
  /** Seconds that all samples together spent in the jitter buffer. */
  waited: number;
  /** Samples that have left it. */
  emitted: number;
}

/** One count of everything that is received. */
export interface Counted {
  streams: ReadonlyMap<string, Counts>;
  roundTrip: number | null;
}

/** The last count, and for how many counts in a row each stream has arrived. */
export interface Ear {
  last: Counted;
  steady: ReadonlyMap<string, number>;
}

/** The few fields that are read (W3C webrtc-stats, sections 8.1 and 8.19). */
interface Stats {
  id: string;
  type: string;
  kind?: string;
  nominated?: boolean;
  totalSamplesReceived?: number;
  concealedSamples?: number;
  silentConcealedSamples?: number;
  jitterBufferDelay?: number;
  jitterBufferEmittedCount?: number;
  currentRoundTripTime?: number;
}

const NOTHING: Counts = { samples: 0, concealed: 0, waited: 0, emitted: 0 };
const LONGEST = 60; // seconds; what the server takes

export const NEW_EAR: Ear = { last: { streams: new Map(), roundTrip: null }, steady: new Map() };

export function countedIn(report: Iterable<Stats>): Counted {
  const all = [...report];
  const pair = all.find(({ type, nominated }) => type === "candidate-pair" && nominated);
  const sounds = all.filter(({ type, kind }) => type === "inbound-rtp" && kind === "audio");
  return {
    streams: new Map(sounds.map((stats) => [stats.id, countsOf(stats)])),
    roundTrip: pair?.currentRoundTripTime ?? null,
  };
}

function countsOf(stats: Stats): Counts {
  return {
    samples: stats.totalSamplesReceived ?? 0,
    concealed: (stats.concealedSamples ?? 0) - (stats.silentConcealedSamples ?? 0),
    waited: stats.jitterBufferDelay ?? 0,
    emitted: stats.jitterBufferEmittedCount ?? 0,
  };
}

/**
 * How the others were heard since the last count; null if that is not known. Of somebody whose
 * sound has just come back nothing is said: their browser sends at once what it had kept, and that
 * it is late says nothing about the way to this page.
 */
export function hear(ear: Ear, counted: Counted): [Ear, MediaHeard | null] {
  const steady = new Map<string, number>();
  let sum = NOTHING;
  for (const [id, now] of counted.streams) {
    const change = minus(now, ear.last.streams.get(id) ?? now);
    if (change.emitted <= 0) continue;
    const counts = (ear.steady.get(id) ?? 0) + 1;
    steady.set(id, counts);
    if (counts >= STEADY_COUNTS) sum = plus(sum, change);
  }
  return [{ last: counted, steady }, heardOf(sum, counted.roundTrip)];
}

function heardOf(sum: Counts, roundTrip: number | null): MediaHeard | null {
  if (sum.samples <= 0) return null;
  return {
    concealed: within(1, sum.concealed / sum.samples),
    buffer: within(LONGEST, sum.waited / sum.emitted),
    round_trip: roundTrip === null ? null : within(LONGEST, roundTrip),
  };
}

function plus(one: Counts, other: Counts): Counts {
  return {
    samples: one.samples + other.samples,
    concealed: one.concealed + other.concealed,
    waited: one.waited + other.waited,
    emitted: one.emitted + other.emitted,
  };
}

function minus(one: Counts, { samples, concealed, waited, emitted }: Counts): Counts {
  return plus(one, {
    samples: -samples,
    concealed: -concealed,
    waited: -waited,
    emitted: -emitted,
  });
}

function within(most: number, value: number): number {
  return Math.min(most, Math.max(0, value));
}
