import { describe, expect, it } from "vitest";
import type { Problem, Snapshot } from "../src/protocol";
import {
  closedCode,
  isUnderWay,
  JOIN_AT_FIRST,
  type JoinEvent,
  type JoinState,
  joinAfter,
  type Screen,
  screenOf,
} from "../src/state/join";
import { INSIDE, view, WAITING } from "./views";

const DENIED: Problem = { type: "", title: "", status: 403, code: "seat_denied" };

function played(...events: JoinEvent[]): JoinState {
  return events.reduce(joinAfter, JOIN_AT_FIRST);
}

function seen(of: Snapshot): JoinEvent {
  return { type: "opened", view: of, at: 1_000_000 };
}

describe("the screen", () => {
  const cases: [string, JoinState, Screen][] = [
    ["before any answer", JOIN_AT_FIRST, "opening"],
    ["an opened link", played(seen(view())), "check"],
    ["somebody who left and came back", played(seen(view({ admission: "left" }))), "check"],
    ["in the queue", played(seen(view(WAITING))), "waiting"],
    ["admitted", played(seen(view({ admission: "admitted", inside: true }))), "visit"],
    ["away and back", played(seen(view({ admission: "away", inside: true }))), "visit"],
    ["a refused link", played({ type: "refused", problem: DENIED }), "closed"],
    ["an ended session", played(seen(view(INSIDE)), { type: "ended", code: "left" }), "closed"],
    [
      "opening again",
      played({ type: "refused", problem: DENIED }, { type: "reopening" }),
      "opening",
    ],
  ];
  it.each(cases)("%s", (_name, state, screen) => expect(screenOf(state)).toBe(screen));

  it("keeps a second device out of the visit its seat is in", () => {
    const second = view({ admission: "present", standing: "opened", another_device: true });
    expect(screenOf(played(seen(second)))).toBe("check");
    expect(isUnderWay(second)).toBe(false);
  });

  it("lets a second device wait while the first is inside", () => {
    const second = view({ admission: "present", standing: "waiting", another_device: true });
    expect(screenOf(played(seen(second)))).toBe("waiting");
  });
});

describe("views", () => {
  it("never go back in time", () => {
    const newer = played(seen(view(INSIDE, { revision: 5 })));
    expect(joinAfter(newer, seen(view(WAITING, { revision: 4 })))).toBe(newer);
  });

  it("begin anew with each connection: a server may have lost what another one knew", () => {
    const newer = played(seen(view(INSIDE, { revision: 5 })), { type: "lineUp" });
    const first = { type: "viewed", view: view(WAITING, { revision: 4 }), at: 0 } as const;
    const late = { type: "viewed", view: view(INSIDE, { revision: 3 }), at: 0 } as const;
    const state = joinAfter(newer, first);
    expect(state.view?.revision).toBe(4);
    expect(joinAfter(state, late)).toBe(state);
  });

  it("measure how far the server's clock is ahead", () => {
    expect(played({ type: "opened", view: view(), at: 990_000 }).clockAhead).toBe(10);
  });

  it("open a page that had been closed: the early page goes on by itself", () => {
    const state = played({ type: "refused", problem: DENIED }, seen(view()));
    expect(screenOf(state)).toBe("check");
    expect(closedCode(state)).toBeNull();
  });

  it("that were still on their way do not open a page that was left", () => {
    const left = played(seen(view(INSIDE)), { type: "ended", code: "left" });
    expect(joinAfter(left, { type: "viewed", view: view(INSIDE), at: 0 })).toBe(left);
  });

  it("settle a pressed button only when the queue or the visit is reached", () => {
    expect(played({ type: "joining" }, seen(view())).joining).toBe(true);
    expect(played({ type: "joining" }, seen(view(WAITING))).joining).toBe(false);
    expect(played({ type: "joining" }, { type: "failed", code: "no_answer" }).joining).toBe(false);
  });
});

describe("losses", () => {
  it("remember when they began, however often they are told", () => {
    const state = played({ type: "lineDown", at: 5 }, { type: "lineDown", at: 9 });
    expect(state.awayAt).toBe(5);
    expect(joinAfter(state, { type: "lineUp" }).awayAt).toBeNull();
  });

  it("of media keep the view and clear when media is back", () => {
    const state = played(seen(view(INSIDE)), { type: "mediaDown", at: 5 });
    expect(screenOf(state)).toBe("visit");
    expect(joinAfter(state, { type: "mediaUp" }).mediaLostAt).toBeNull();
  });

  it("do not follow anybody onto a closed page", () => {
    const state = played(
      seen(view(INSIDE)),
      { type: "lineDown", at: 5 },
      { type: "ended", code: "visit_ended" },
    );
    expect([state.awayAt, state.mediaLostAt, state.streams.size]).toEqual([null, null, 0]);
    expect(closedCode(state)).toBe("visit_ended");
  });
});

it("forgets a failure when something else is tried", () => {
  const state = played({ type: "failed", code: "not_waiting" });
  expect(state.trouble).toBe("not_waiting");
  expect(joinAfter(state, { type: "tried" }).trouble).toBeNull();
});
