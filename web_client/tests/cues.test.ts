import { describe, expect, it } from "vitest";
import type { Person, Snapshot } from "../src/protocol";
import { cuesBetween, keepsAwake } from "../src/state/cues";
import { JOIN_AT_FIRST, joinAfter } from "../src/state/join";
import { INSIDE, myLine, person, report, view, WAITING, waiting } from "./views";

const kinds = (before: Snapshot | null, after: Snapshot | null): string[] =>
  cuesBetween(before, after).map((cue) => cue.kind);

describe("cues", () => {
  it("keep quiet about what was so when the page opened", () => {
    expect(kinds(null, view(INSIDE, { people: [person("s2", "Ana")] }))).toEqual([]);
  });

  it("tell somebody who waits that they are in, but not who was there before them", () => {
    const inside = view(INSIDE, { people: [person("s2", "Ana")] });
    expect(kinds(view(WAITING), inside)).toEqual(["admitted"]);
  });

  it("tell somebody who is sent back", () => {
    const before = view(INSIDE, { people: [person("s2", "Ana")] });
    expect(kinds(before, view(WAITING))).toEqual(["sentBack"]);
  });

  it("say each message once", () => {
    const one = view({ ...WAITING, notices: [{ id: 1, text: "Soon", at: 1 }] });
    expect(cuesBetween(view(WAITING), one)).toEqual([{ kind: "message", text: "Soon" }]);
    expect(kinds(one, view({ ...WAITING, notices: [...one.me.notices] }))).toEqual([]);
  });

  it("name who comes, who goes and who asks", () => {
    const before = view(INSIDE, { people: [person("s2", "Ana")] });
    const after = view(INSIDE, {
      people: [person("s3", "Leo")],
      waiting: [waiting("s4", "Lucia")],
    });
    expect(cuesBetween(before, after)).toEqual([
      { kind: "arrived", name: "Lucia" },
      { kind: "entered", name: "Leo" },
      { kind: "gone", name: "Ana" },
    ]);
  });

  it("treat a second device of somebody who waits as an arrival of its own", () => {
    const before = view(INSIDE, { waiting: [waiting("s4", "Lucia")] });
    const after = view(INSIDE, {
      waiting: [waiting("s4", "Lucia"), waiting("s4", "Lucia", 1001, "other")],
    });
    expect(kinds(before, after)).toEqual(["arrived"]);
  });

  it("say how others are connected, and leave the story to staff who can read it", () => {
    const people = (way: Person["way"], line: Person["line"] = null) =>
      view(INSIDE, { people: [person("s2", "Ana", { way, line })] });
    expect(kinds(people("weak"), people("calling"))).toEqual(["calling"]);
    expect(kinds(people("calling"), people("joining"))).toEqual(["joining"]);
    expect(kinds(people("joining"), people("phone"))).toEqual(["onPhone"]);
    expect(kinds(people("phone"), people("browser"))).toEqual(["offPhone"]);
    expect(kinds(people("weak", report()), people("calling", report()))).toEqual([]);
    expect(kinds(people("calling", report()), people("joining", report()))).toEqual(["joining"]);
    expect(kinds(people("browser"), people("weak"))).toEqual([]);
  });

  it("call somebody on the phone back to the page when its picture returns", () => {
    const on = (state: "bridged" | "recovering", kept = false) =>
      view({ ...INSIDE, line: myLine({ state, joined: true, kept }) });
    expect(kinds(on("bridged"), on("recovering"))).toEqual(["videoBack"]);
    expect(kinds(on("bridged"), on("recovering", true))).toEqual([]);
    expect(kinds(on("recovering"), on("bridged"))).toEqual([]);
  });

  it("say mute and unmute, whoever did it", () => {
    const muted = view({ ...INSIDE, microphone: false });
    expect(kinds(view(INSIDE), muted)).toEqual(["muted"]);
    expect(kinds(muted, view(INSIDE))).toEqual(["unmuted"]);
  });
});

it("keeps the screen lit in the queue and in the visit, and nowhere else", () => {
  const lit = (of: Snapshot): boolean =>
    keepsAwake(joinAfter(JOIN_AT_FIRST, { type: "opened", view: of, at: 0 }));
  expect([lit(view()), lit(view(WAITING)), lit(view(INSIDE))]).toEqual([false, true, true]);
});
