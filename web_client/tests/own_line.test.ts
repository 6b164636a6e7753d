import { describe, expect, it } from "vitest";
import type { Fallback, MyLine } from "../src/protocol";
import { isSent, JOIN_AT_FIRST, type JoinState, joinAfter } from "../src/state/join";
import { isBackFromPhone, isInCall, ownStory, trialAfter } from "../src/state/own_line";
import { INSIDE, myLine, view } from "./views";

const told = (change: Partial<MyLine>): string => ownStory(myLine(change))?.text ?? "";
const offered = (change: Partial<MyLine>): string[] => [...(ownStory(myLine(change))?.deeds ?? [])];

describe("one's own story", () => {
  it.each<[Partial<MyLine>, string, string[]]>([
    [{}, "", []],
    [{ state: "degraded", sound: "weak" }, "weak", ["call_me", "no_call"]],
    [{ state: "degraded", sound: "unusable", agreed: false }, "weak", ["plan"]],
    [{ state: "degraded", sound: "silent" }, "silent_plan", ["call_me", "no_call"]],
    [{ state: "degraded", sound: "silent", agreed: false }, "silent", ["plan"]],
    [{ state: "dialing" }, "dialing", ["stop"]],
    [{ state: "ringing" }, "ringing", ["stop"]],
    [{ state: "ringing", other_phone: true }, "other", ["stop"]],
    [{ state: "gate" }, "gate", ["connect", "hang_up"]],
    [{ state: "bridged" }, "entering", ["hang_up"]],
    [{ state: "bridged", sound: "silent", joined: true }, "phone", ["hang_up"]],
    [{ state: "bridged", joined: true }, "phone", ["move_back", "hang_up"]],
    [{ state: "recovering", joined: true }, "back", ["move_back", "keep"]],
    [{ state: "recovering", joined: true, kept: true }, "kept", ["move_back"]],
    [{ state: "recovering", joined: true, returning: true }, "moving", []],
    [{ state: "stuck", stuck: "no_number", agreed: false }, "no_number", ["plan"]],
    [{ state: "stuck", stuck: "refused", agreed: false }, "refused", ["plan"]],
    [{ state: "stuck", stuck: "calls_used" }, "calls_used", ["call_me"]],
    [{ state: "stuck", stuck: "not_reached", why: "busy" }, "not_reached", ["call_me"]],
    [{ state: "stuck", stuck: "not_reached", why: "bad_number" }, "not_reached", ["plan"]],
  ])("of %j is %s, with %j", (line, text, deeds) => {
    expect([told(line), offered(line)]).toEqual([text, deeds]);
  });

  it("gives the clinic's number when no phone helps by itself", () => {
    expect(ownStory(myLine({ state: "stuck", stuck: "stopped" }))?.clinic).toBe(true);
    expect(ownStory(myLine({ state: "ringing" }))?.clinic).toBe(false);
  });

  it("asks nobody for a number where the server calls nobody", () => {
    const stuck = myLine({ state: "stuck", stuck: "no_number", agreed: false });
    expect(ownStory(stuck, false)).toEqual({ text: "no_calls", deeds: [], clinic: true });
    expect(ownStory(myLine({ state: "degraded", sound: "weak" }), false)?.deeds).toEqual([]);
    expect(ownStory(myLine(), false)).toBeNull();
  });

  it("is silent about a call that only tries the number", () => {
    const states: Fallback[] = ["dialing", "ringing", "gate"];
    expect(states.map((state) => ownStory(myLine({ state, trial: true })))).toEqual([
      null,
      null,
      null,
    ]);
  });
});

describe("the microphone of somebody on the telephone", () => {
  const inside = (line: Partial<MyLine>): JoinState => {
    const opened = {
      type: "opened",
      view: view({ ...INSIDE, line: myLine(line) }),
      at: 0,
    } as const;
    return joinAfter(JOIN_AT_FIRST, opened);
  };
  const lost = (state: JoinState): JoinState => {
    const event = { type: "answered", kind: "microphone", status: "missing" } as const;
    return joinAfter(state, { type: "device", event });
  };

  it("is not muted because the call took it from the browser", () => {
    expect(isSent(lost(inside({ state: "ringing" })), "microphone")).toBe(true);
    expect(isSent(lost(inside({ state: "bridged", joined: true })), "microphone")).toBe(true);
  });

  it("is muted when they say so", () => {
    const event = { type: "wanted", kind: "microphone", wanted: false } as const;
    const muted = joinAfter(inside({ state: "bridged" }), { type: "device", event });
    expect(isSent(muted, "microphone")).toBe(false);
  });

  it("decides again as soon as the sound moves back", () => {
    expect(isSent(lost(inside({ state: "recovering", returning: true })), "microphone")).toBe(
      false,
    );
    expect(isSent(lost(inside({})), "microphone")).toBe(false);
  });

  it("decides while the number is only tried, and the camera always", () => {
    expect(isSent(lost(inside({ state: "gate", trial: true })), "microphone")).toBe(false);
    expect(isSent(inside({ state: "bridged" }), "camera")).toBe(false);
  });
});

it("knows when the browser carries again what it did not", () => {
  const on = myLine({ state: "bridged", joined: true });
  const back = myLine({ state: "recovering", joined: true });
  const moving = myLine({ state: "recovering", joined: true, returning: true });
  expect([isInCall(on), isInCall(back), isInCall(moving)]).toEqual([true, true, false]);
  expect(isBackFromPhone(on, back)).toBe(true);
  expect(isBackFromPhone(back, moving)).toBe(true);
  expect(isBackFromPhone(myLine(), on)).toBe(false);
  expect(isBackFromPhone(moving, myLine())).toBe(false);
});

describe("trying the number", () => {
  const trying = myLine({ state: "ringing", trial: true });

  it("has worked when the server says when", () => {
    expect(trialAfter(trying, myLine({ tried_at: 5 }), null)).toBe("works");
  });

  it("has failed when the call is over without that", () => {
    expect(trialAfter(trying, myLine({ why: "busy" }), null)).toBe("failed");
    expect(trialAfter({ ...trying, tried_at: 5 }, myLine({ tried_at: 5 }), null)).toBe("failed");
  });

  it("is forgotten when it begins again or the number changes, and kept otherwise", () => {
    expect(trialAfter(myLine(), trying, "failed")).toBeNull();
    expect(trialAfter(myLine(), myLine(), "works")).toBe("works");
    const known: JoinState = { ...JOIN_AT_FIRST, trial: "works" };
    const next = joinAfter(known, { type: "planned", plan: "settled" });
    expect([next.trial, next.plan]).toEqual([null, "settled"]);
  });
});
