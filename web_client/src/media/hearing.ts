import type { MediaHeard } from "../protocol";

/** What a browser has counted of all sound that it received, since the connection began. */
export interface Counted {
  /** Samples played, made up or not. */
  samples: number;
  /** Samples that were made up and not silent. */
  concealed: number;
  /** Seconds that all samples together spent in jitter buffers. */
  waited: number;
  /** Samples that have left them. */
  emitted: number;
  roundTrip: number | null;
}

/** The few fields that are read (W3C webrtc-stats, sections 8.1 and 8.19). */
interface Stats {
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

const NOTHING: Counted = { samples: 0, concealed: 0, waited: 0, emitted: 0, roundTrip: null };

export function countedIn(report: Iterable<Stats>): Counted {
  return [...report].reduce((sum, each) => added(sum, each), NOTHING);
}

function added(sum: Counted, stats: Stats): Counted {
  if (stats.type === "candidate-pair" && stats.nominated) {
    return { ...sum, roundTrip: stats.currentRoundTripTime ?? sum.roundTrip };
  }
  if (stats.type !== "inbound-rtp" || stats.kind !== "audio") return sum;
  const silent = stats.silentConcealedSamples ?? 0;
  return {
    ...sum,
    samples: sum.samples + (stats.totalSamplesReceived ?? 0),
    concealed: sum.concealed + (stats.concealedSamples ?? 0) - silent,
    waited: sum.waited + (stats.jitterBufferDelay ?? 0),
    emitted: sum.emitted + (stats.jitterBufferEmittedCount ?? 0),
  };
}

const LONGEST = 60; // seconds; what the server takes

/** How the others were heard between two counts; null if there was nothing to hear. */
export function heardBetween(before: Counted, after: Counted): MediaHeard | null {
  const samples = after.samples - before.samples;
  const emitted = after.emitted - before.emitted;
  if (samples <= 0 || emitted <= 0) return null; // silence, or somebody who left took counts along
  return {
    concealed: within(1, (after.concealed - before.concealed) / samples),
    buffer: within(LONGEST, (after.waited - before.waited) / emitted),
    round_trip: after.roundTrip === null ? null : within(LONGEST, after.roundTrip),
  };
}

function within(most: number, value: number): number {
  return Math.min(most, Math.max(0, value));
}
