import type { Waiting } from "../protocol";
import { ARRIVAL_AGAIN, ARRIVAL_APART } from "../timing";

/** Who has been noticed by staff at this screen, and when we last made a noise about the rest. */
export interface Arrivals {
  noticed: ReadonlySet<string>;
  waiting: ReadonlySet<string>;
  chimedAt: number;
}

export const NO_ARRIVALS: Arrivals = {
  noticed: new Set(),
  waiting: new Set(),
  chimedAt: Number.NEGATIVE_INFINITY,
};

/** One key per browser that waits: a second device is an arrival of its own. */
export function arrivalKey(visit: string, person: Pick<Waiting, "seat" | "device">): string {
  return `${visit}/${person.seat}/${person.device}`;
}

export function notice(arrivals: Arrivals, key: string): Arrivals {
  return { ...arrivals, noticed: new Set([...arrivals.noticed, key]) };
}

export function unnoticed(arrivals: Arrivals): number {
  return [...arrivals.waiting].filter((key) => !arrivals.noticed.has(key)).length;
}

/**
 * Call on each change and on each tick. The second value says whether to chime: for somebody new
 * (a party that arrives together is one chime), and again while anybody waits unnoticed.
 */
export function arrivalsAfter(
  arrivals: Arrivals,
  keys: readonly string[],
  now: number,
): [Arrivals, boolean] {
  const waiting = new Set(keys);
  const noticed = new Set([...arrivals.noticed].filter((key) => waiting.has(key)));
  const next = { ...arrivals, waiting, noticed };
  if (unnoticed(next) === 0) return [next, false];
  const isNew = keys.some((key) => !arrivals.waiting.has(key) && !noticed.has(key));
  const apart = isNew ? ARRIVAL_APART : ARRIVAL_AGAIN;
  if (now - arrivals.chimedAt < apart) return [next, false];
  return [{ ...next, chimedAt: now }, true];
}
