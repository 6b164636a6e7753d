import { expect, it } from "vitest";
import { DESK_AT_FIRST, type DeskEvent, deskAfter, inDeskOrder } from "../src/state/desk";
import { deskVisit, waiting } from "./views";

const DESK = { practice: { name: "Harbour", phone: "1" }, now: 100, visits: [], more: 0 };

function played(...events: DeskEvent[]) {
  return events.reduce(deskAfter, DESK_AT_FIRST);
}

it("puts who waits longest first, then what comes, then what is over", () => {
  const visits = [
    deskVisit("over", { stage: "ended", starts_at: 1 }),
    deskVisit("later", { starts_at: 50 }),
    deskVisit("soon", { starts_at: 20 }),
    deskVisit("short wait", { waiting: [waiting("a", "A", 90)] }),
    deskVisit("long wait", { waiting: [waiting("b", "B", 95), waiting("c", "C", 10)] }),
  ];
  expect(inDeskOrder(visits).map((visit) => visit.visit)).toEqual([
    "long wait",
    "short wait",
    "soon",
    "later",
    "over",
  ]);
});

it("goes live with the first snapshot and keeps it while the line is down", () => {
  const state = played({ type: "changed", desk: DESK, at: 90_000 }, { type: "lineDown", at: 7 });
  expect(state).toMatchObject({ step: "live", desk: DESK, clockAhead: 10, awayAt: 7 });
});

it("closes with its link and opens again only from the start", () => {
  const problem = { type: "", title: "", status: 404, code: "link_unknown" } as const;
  const closed = played({ type: "changed", desk: DESK, at: 0 }, { type: "refused", problem });
  expect(closed.step).toBe("refused");
  expect(deskAfter(closed, { type: "reopening" })).toMatchObject({ step: "opening", desk: null });
});

it("remembers who was seen at this screen", () => {
  expect(played({ type: "seen", key: "v/s/d" }).seen.has("v/s/d")).toBe(true);
});
