import { describe, expect, it } from "vitest";
import type { LineReport, NumberChoice } from "../src/protocol";
import { hasTrouble } from "../src/state/desk";
import {
  isHeardByBrowser,
  isLost,
  lineStory,
  mayCallOwn,
  needsAttention,
  otherNumbers,
  type Reader,
} from "../src/state/lines";
import { span } from "../src/ui/line_story";
import { deskVisit, report } from "./views";

const CLINICIAN: Reader = { seat: "s9", greets: true };
const DESK: Reader = { seat: "", greets: false };

describe("the story that staff follow", () => {
  it.each<[Partial<LineReport>, string, string[]]>([
    [{ state: "degraded", sound: "weak" }, "weak", ["call", "no_call"]],
    [{ state: "degraded", sound: "silent", numbers: [] }, "silent", ["no_call"]],
    [{ state: "dialing" }, "dialing", ["stop"]],
    [{ state: "ringing" }, "ringing", ["stop"]],
    [{ state: "gate" }, "gate", ["greet", "stop"]],
    [{ state: "gate", greeter: "s9" }, "greeting", ["let_in", "hang_up"]],
    [{ state: "gate", greeter: "s8" }, "greeted", []],
    [{ state: "bridged" }, "joining", ["confirm", "wrong", "keep"]],
    [{ state: "bridged", joined: true }, "phone", ["confirm", "wrong", "keep"]],
    [{ state: "recovering", joined: true, voice_confirmed: true, kept: true }, "back", ["hang_up"]],
    [{ state: "stuck", stuck: "not_reached" }, "not_reached", ["call"]],
    [{ state: "stuck", stuck: "refused" }, "refused", []],
  ])("of %j is %s, with %j", (line, text, deeds) => {
    expect(lineStory(report(line), CLINICIAN)).toEqual({ text, deeds });
  });

  it("offers the desk nothing that needs a voice in the visit", () => {
    expect(lineStory(report({ state: "gate" }), DESK)?.deeds).toEqual(["stop"]);
    expect(lineStory(report({ state: "bridged", joined: true }), DESK)?.deeds).toEqual([
      "keep",
      "hang_up",
    ]);
  });

  it("says nothing while all is well, or while somebody tries their phone", () => {
    expect(lineStory(report(), CLINICIAN)).toBeNull();
    expect(lineStory(report({ state: "gate", trial: true }), CLINICIAN)).toBeNull();
  });
});

it("asks for attention until somebody on the phone is known to be the right one", () => {
  const seen = (change: Partial<LineReport>): boolean => needsAttention(report(change));
  expect(seen({})).toBe(false);
  expect(seen({ state: "ringing", trial: true })).toBe(false);
  expect(seen({ state: "degraded", sound: "weak" })).toBe(true);
  expect(seen({ state: "bridged", joined: true })).toBe(true);
  expect(seen({ state: "bridged", joined: true, voice_confirmed: true })).toBe(false);
  expect(hasTrouble(deskVisit("v1"))).toBe(false);
});

it("calls somebody lost when nobody hears them and no call is on its way", () => {
  const lost = (change: Partial<LineReport>): boolean => isLost(report(change));
  expect(lost({ state: "degraded", sound: "weak" })).toBe(false);
  expect(lost({ state: "degraded", sound: "silent" })).toBe(true);
  expect(lost({ state: "ringing", sound: "silent" })).toBe(false);
  expect(lost({ state: "stuck", stuck: "no_number", sound: "weak" })).toBe(true);
});

it("tells the quality of a browser only where one carries the sound", () => {
  expect(isHeardByBrowser(report())).toBe(true);
  expect(isHeardByBrowser(report({ state: "bridged" }))).toBe(false);
  expect(isHeardByBrowser(report({ page: false }))).toBe(false);
});

it("sorts numbers by what may be done with them", () => {
  const number = (id: string, change: Partial<NumberChoice> = {}): NumberChoice => ({
    id,
    label: id,
    contact: false,
    agreed: true,
    ...change,
  });
  const numbers = [
    number("own"),
    number("home"),
    number("son", { contact: true }),
    number("work", { agreed: false }),
  ];
  expect(otherNumbers({ numbers })).toEqual({
    others: [numbers[1]],
    contacts: [numbers[2]],
    unagreed: [numbers[3]],
  });
  expect(mayCallOwn(report({ numbers }))).toBe(true);
  expect(mayCallOwn(report({ numbers, state: "ringing" }))).toBe(false);
  expect(mayCallOwn(report({ numbers: [number("own", { agreed: false })] }))).toBe(false);
});

it.each([
  [0, "0:00"],
  [45.9, "0:45"],
  [125, "2:05"],
  [-3, "0:00"],
])("writes %d seconds as %s", (seconds, text) => expect(span(seconds)).toBe(text));
