import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  PHONE_AT_FIRST,
  type PhoneChanged,
  type PhoneEvent,
  type PhoneState,
  phoneAfter,
  phoneScreen,
} from "../src/demo/phone_state";
import { PHONE_WORDS, type PhoneWord, phoneWord } from "../src/demo/words";

function told(state: PhoneChanged["state"], at = 1000): PhoneEvent {
  const caller = state === "idle" ? "" : "+1 202-555-0199";
  const number = "+1 202-555-0171";
  return {
    type: "changed",
    phone: { type: "phone:changed", state, caller, number, voicemail: false },
    at,
  };
}

function story(...events: PhoneEvent[]): PhoneState {
  return events.reduce(phoneAfter, PHONE_AT_FIRST);
}

const ON: PhoneEvent = { type: "switchedOn" };

describe("the demo's phone", () => {
  it("is off until somebody switches it on, whatever it is told", () => {
    expect(phoneScreen(story(told("ringing")))).toBe("off");
    expect(phoneScreen(story(ON))).toBe("idle");
    expect(phoneScreen(story(ON, told("ringing")))).toBe("ringing");
  });

  it("counts from the answer, also when it is told more of the same call", () => {
    const state = story(ON, told("ringing", 1), told("talking", 2), told("talking", 9));
    expect(state.since).toBe(2);
    expect(story(ON, told("talking", 2), told("idle"), told("talking", 9)).since).toBe(9);
  });

  it("forgets the keys of a call that is over, and says that it is", () => {
    const pressed = story(ON, told("talking"), { type: "pressed", key: "1" });
    expect(pressed.keys).toBe("1");
    const over = phoneAfter(pressed, told("idle"));
    expect([over.keys, over.ended]).toEqual(["", true]);
    expect(phoneAfter(over, told("ringing")).ended).toBe(false);
    expect(story(ON, told("idle")).ended).toBe(false);
  });

  it("is in no call while the server is away", () => {
    const away = story(ON, told("talking"), { type: "away" });
    expect([phoneScreen(away), away.away]).toEqual(["idle", true]);
    expect(phoneAfter(away, told("idle")).away).toBe(false);
  });

  it("is taken by another window until it is taken back", () => {
    const taken = story(ON, told("talking"), { type: "taken" });
    expect(phoneScreen(taken)).toBe("taken");
    expect(phoneScreen(phoneAfter(taken, told("talking")))).toBe("taken");
    expect(phoneScreen(phoneAfter(taken, ON))).toBe("idle");
  });
});

describe("its words", () => {
  const words = Object.keys(PHONE_WORDS.en) as PhoneWord[];

  it("are there in every language, and fill their gaps", () => {
    for (const language of ["en", "es"] as const) {
      for (const word of words) {
        expect(phoneWord(language, word, "$&1"), word).not.toMatch(/^$|\{/);
      }
    }
    expect(phoneWord("en", "pressed", "$&*#")).toBe("Pressed: $&*#");
  });

  it("are all used", () => {
    const page = readFileSync(
      join(import.meta.dirname, "..", "src", "demo", "phone_page.tsx"),
      "utf8",
    );
    expect(words.filter((word) => !page.includes(`"${word}"`))).toEqual([]);
  });
});
