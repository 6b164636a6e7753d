import { describe, expect, it } from "vitest";
import { contactCard } from "../src/lib/contact";
import { troubleKey } from "../src/lib/trouble";
import type { CallFailure, LineReport, MyLine, ProblemCode, Sound, Stuck } from "../src/protocol";
import { lineStory } from "../src/state/lines";
import { ownStory } from "../src/state/own_line";
import { looksLikePhone } from "../src/state/phone_plan";
import { LANGUAGES, type Language, speak, type WordKey } from "../src/words";
import { myLine, report } from "./views";

/** Every member of a union, which the compiler holds to be complete. */
const all = <Name extends string>(names: Record<Name, true>): Name[] =>
  Object.keys(names) as Name[];

const STUCK = all<Stuck>({
  no_number: true,
  no_consent: true,
  refused: true,
  calls_used: true,
  not_reached: true,
  stopped: true,
});
const SOUNDS = all<Sound>({ fine: true, weak: true, unusable: true, silent: true });
const STATES = all<MyLine["state"]>({
  good: true,
  degraded: true,
  stuck: true,
  dialing: true,
  ringing: true,
  gate: true,
  bridged: true,
  recovering: true,
});
const FAILURES = all<CallFailure>({
  busy: true,
  no_answer: true,
  declined: true,
  blocked: true,
  bad_number: true,
  carrier_down: true,
  limited: true,
  nobody_confirmed: true,
  hung_up: true,
  broken: true,
  lost: true,
  wrong_person: true,
  refused: true,
});
const REFUSALS: ProblemCode[] = [
  "number_invalid",
  "number_premium",
  "number_emergency",
  "number_unreachable",
  "no_number",
  "calls_used",
  "call_underway",
  "phone_refused",
  "no_call",
  "call_not_answered",
  "speak_first",
  "video_not_ready",
  "not_admitted",
];

function everyLine(): Partial<LineReport & MyLine>[] {
  const flags = [true, false];
  return STATES.flatMap((state) =>
    SOUNDS.flatMap((sound) =>
      STUCK.flatMap((stuck) =>
        flags.flatMap((joined) =>
          flags.map((agreed) => ({ state, sound, stuck, joined, agreed, kept: agreed })),
        ),
      ),
    ),
  );
}

describe.each(Object.keys(LANGUAGES) as Language[])("in %s", (language) => {
  const { t } = speak(language);
  const isSaid = (key: string): boolean =>
    key in LANGUAGES[language] && !/\{\w+\}/.test(t(key as WordKey, { tail: "71", name: "Ana" }));

  it("every state of one's own connection has its words, and so has each thing to do", () => {
    const stories = everyLine().flatMap((change) =>
      [true, false].map((calls) => ownStory(myLine(change), calls)),
    );
    for (const story of stories) {
      if (!story) continue;
      expect(isSaid(`own.${story.text}`), story.text).toBe(true);
      for (const deed of story.deeds) expect(isSaid(`own.deed.${deed}`), deed).toBe(true);
    }
  });

  it("every state of others' connections has its words, and so has each thing to do", () => {
    for (const greeter of ["", "s1", "s2"]) {
      for (const change of everyLine()) {
        const story = lineStory(report({ ...change, greeter }), { seat: "s1", greets: true });
        if (!story) continue;
        expect(isSaid(`line.${story.text}`), story.text).toBe(true);
        for (const deed of story.deeds) expect(isSaid(`line.deed.${deed}`), deed).toBe(true);
      }
    }
  });

  it("every failure of a call and every quality has its words", () => {
    for (const why of FAILURES) expect(isSaid(`failure.${why}`), why).toBe(true);
    for (const sound of SOUNDS) expect(isSaid(`sound.${sound}`), sound).toBe(true);
  });

  it("every refusal about telephones says what to do, each in its own words", () => {
    const said = REFUSALS.map((code) => t(troubleKey(code)));
    expect(new Set([...said, t("trouble.other")]).size).toBe(REFUSALS.length + 1);
  });
});

it("has words for refusals that it does not know, whatever they are called", () => {
  expect(troubleKey("something_new")).toBe("trouble.other");
  expect(troubleKey("constructor")).toBe("trouble.other");
});

it("makes a card that address books read, whatever the practice is called", () => {
  const card = contactCard({ name: "Hill, Dale; Sons\r\nEND:VCARD", phone: "+1 (555) 010-0100" });
  expect(card.split("\r\n")).toEqual([
    "BEGIN:VCARD",
    "VERSION:3.0",
    "N:Hill\\, Dale\\; Sons END:VCARD;;;;",
    "FN:Hill\\, Dale\\; Sons END:VCARD",
    "ORG:Hill\\, Dale\\; Sons END:VCARD",
    "TEL;TYPE=WORK,VOICE:+15550100100",
    "END:VCARD",
    "",
  ]);
});

it.each([
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148", true],
  ["Mozilla/5.0 (Linux; Android 14; Pixel 7) Chrome/126.0 Mobile Safari/537.36", true],
  ["Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0 Safari/537.36", false],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15", false],
])("takes %s for a phone: %s", (agent, phone) => expect(looksLikePhone(agent)).toBe(phone));
