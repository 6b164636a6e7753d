import type { DeskSnapshot, DeskVisit, Problem, SessionOver, Stage } from "../protocol";
import { needsAttention } from "./lines";

export interface DeskState {
  step: "opening" | "live" | "refused" | "over";
  awayAt: number | null;
  refusal: Problem | null;
  over: SessionOver["code"] | null;
  desk: DeskSnapshot | null;
  clockAhead: number;
  soundAllowed: boolean;
  trouble: string | null;
  /** Who waits and was marked as seen at this screen, by `arrivalKey`. */
  seen: ReadonlySet<string>;
}

export type DeskEvent =
  | { type: "changed"; desk: DeskSnapshot; at: number }
  | { type: "refused"; problem: Problem }
  | { type: "ended"; code: SessionOver["code"] }
  | { type: "reopening" }
  | { type: "lineUp" }
  | { type: "lineDown"; at: number }
  | { type: "soundAllowed"; allowed: boolean }
  | { type: "seen"; key: string }
  | { type: "failed"; code: string }
  | { type: "tried" };

export const DESK_AT_FIRST: DeskState = {
  step: "opening",
  awayAt: null,
  refusal: null,
  over: null,
  desk: null,
  clockAhead: 0,
  soundAllowed: true,
  trouble: null,
  seen: new Set(),
};

export function deskAfter(state: DeskState, event: DeskEvent): DeskState {
  switch (event.type) {
    case "changed":
      return {
        ...state,
        step: "live",
        desk: event.desk,
        clockAhead: event.desk.now - event.at / 1000,
      };
    case "refused":
      return { ...state, step: "refused", refusal: event.problem, awayAt: null };
    case "ended":
      return { ...state, step: "over", over: event.code, awayAt: null };
    case "reopening":
      return { ...DESK_AT_FIRST, soundAllowed: state.soundAllowed };
    case "lineUp":
      return { ...state, awayAt: null };
    case "lineDown":
      return { ...state, awayAt: state.awayAt ?? event.at };
    case "soundAllowed":
      return { ...state, soundAllowed: event.allowed };
    case "seen":
      return { ...state, seen: new Set([...state.seen, event.key]) };
    case "failed":
      return { ...state, trouble: event.code };
    case "tried":
      return state.trouble === null ? state : { ...state, trouble: null };
  }
}

const OVER: ReadonlySet<Stage> = new Set(["ended", "cancelled"]);

function longestWait(visit: DeskVisit): number {
  return Math.min(...visit.waiting.map((person) => person.waiting_since ?? Infinity), Infinity);
}

/** Whether somebody in this visit cannot be heard, or a call to them is under way. */
export function hasTrouble(visit: DeskVisit): boolean {
  return visit.seats.some(({ line }) => needsAttention(line));
}

/**
 * Visits somebody waits in come first (longest wait first), then those where a connection fails,
 * then by time; what is over comes last.
 */
export function inDeskOrder(visits: readonly DeskVisit[]): DeskVisit[] {
  const rank = (visit: DeskVisit): number => {
    if (visit.waiting.length > 0) return 0;
    if (OVER.has(visit.stage)) return 3;
    return hasTrouble(visit) ? 1 : 2;
  };
  return [...visits].sort((a, b) => {
    if (rank(a) !== rank(b)) return rank(a) - rank(b);
    if (rank(a) === 0) return longestWait(a) - longestWait(b);
    return a.starts_at - b.starts_at;
  });
}
