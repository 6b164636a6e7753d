import { expect, it } from "vitest";
import {
  ANNOUNCEMENT_WORDS,
  type AnnouncementWord,
  problemWord,
} from "../src/desk/announcement_words";
import type { Announcements, ProblemCode } from "../src/protocol";
import {
  type AnnouncementsEvent,
  announcementsAfter,
  announcementsAtFirst,
  languagesOf,
  languageTag,
  standing,
  wordsOf,
} from "../src/state/announcements";
import type { Language } from "../src/words";

const ALL: Announcements = {
  spoken_name: "Riverside",
  call_back: "",
  recordings: [
    { prompt: "gate", language: "pt" },
    { prompt: "goodbye", language: "en" },
  ],
  spoken: [
    { prompt: "gate", language: "en", text: "This is Riverside." },
    { prompt: "gate", language: "es", text: "Le llama Riverside." },
  ],
};
const AUDIO = new Blob(["a"]);

function played(...events: AnnouncementsEvent[]) {
  const first = announcementsAfter(announcementsAtFirst("es"), {
    type: "loaded",
    announcements: ALL,
  });
  return events.reduce(announcementsAfter, first);
}

it("records, lets it be heard, and uses it only when it was sent", () => {
  const draft = played(
    { type: "began", prompt: "gate" },
    { type: "recording" },
    { type: "drafted", prompt: "gate", audio: AUDIO },
  );
  expect(draft.work).toEqual({ step: "draft", prompt: "gate", audio: AUDIO });
  expect(draft.announcements).toEqual(ALL);
  const sent = [{ type: "sending" }, { type: "kept" }] as const;
  const kept = sent.reduce(announcementsAfter, draft);
  expect(kept).toMatchObject({ work: null, news: "kept" });
  expect(standing(kept.announcements as Announcements, "gate", "es")).toBe("own");
  const back = [{ type: "removing", prompt: "gate" }, { type: "removed" }] as const;
  expect(back.reduce(announcementsAfter, kept).announcements).toEqual(ALL);
});

it("keeps a recording that could not be sent or played, to be tried again", () => {
  const draft = { type: "drafted", prompt: "gate", audio: AUDIO } as const;
  const refused = { type: "failed", prompt: "gate", code: "no_answer" } as const;
  for (const state of [played(draft, { type: "sending" }, refused), played(draft, refused)]) {
    expect(state.work).toEqual({ step: "draft", prompt: "gate", audio: AUDIO });
    expect(state.problem).toEqual({ prompt: "gate", code: "no_answer" });
  }
});

it("is free again after a microphone that was not allowed, and forgets that at the next try", () => {
  const refused = played(
    { type: "began", prompt: "gate" },
    { type: "failed", prompt: "gate", code: "device.refused" },
  );
  expect(refused).toMatchObject({ work: null, problem: { code: "device.refused" } });
  expect(announcementsAfter(refused, { type: "began", prompt: "gate" }).problem).toBeNull();
});

it("changes nothing by what comes after it was discarded", () => {
  const discarded = played({ type: "began", prompt: "gate" }, { type: "discarded" });
  for (const late of [{ type: "recording" }, { type: "sending" }, { type: "kept" }] as const) {
    expect(announcementsAfter(discarded, late)).toBe(discarded);
  }
});

it("tells by whom it is said as the server chooses", () => {
  expect(standing(ALL, "goodbye", "en")).toBe("own");
  expect(standing(ALL, "gate", "pt-br")).toBe("wider");
  expect(standing(ALL, "gate", "es-mx")).toBe("computer");
  expect(standing(ALL, "gate", "fr")).toBe("english");
});

it("shows the words of the language, or the English ones to be translated", () => {
  expect(wordsOf(ALL, "gate", "es-mx")).toEqual({ language: "es", text: "Le llama Riverside." });
  expect(wordsOf(ALL, "gate", "fr")).toEqual({ language: "en", text: "This is Riverside." });
});

it("offers what is spoken, recorded or asked for, each once", () => {
  const state = played({ type: "chose", language: "fr" }, { type: "chose", language: "en" });
  expect(languagesOf(state)).toEqual(["en", "es", "pt", "fr"]);
});

it.each([
  [" pt_BR ", "pt-br"],
  ["fr", "fr"],
  ["zh-Hant-TW", "zh-hant-tw"],
  ["French", null],
  ["../en", null],
  ["", null],
])("takes %j for the tag %s", (typed, tag) => expect(languageTag(typed)).toBe(tag));

const REFUSALS: ProblemCode[] = [
  "prompt_unreadable",
  "prompt_too_long",
  "prompt_language_invalid",
  "too_many_prompts",
  "store_unavailable",
  "too_slow",
  "unauthorized",
];

it.each(Object.keys(ANNOUNCEMENT_WORDS) as Language[])("says everything in %s", (language) => {
  const words = ANNOUNCEMENT_WORDS[language];
  for (const word of Object.keys(words) as AnnouncementWord[]) {
    expect(words[word].trim(), word).not.toBe("");
    const gap = ANNOUNCEMENT_WORDS.en[word].includes("{value}");
    expect(words[word].includes("{value}"), word).toBe(gap);
  }
  const said = [...REFUSALS, "no_answer", "not_played", "constructor"].map((c) => problemWord(c));
  expect(new Set(said.map((word) => words[word])).size).toBe(REFUSALS.length + 3);
  expect(problemWord("constructor")).toBe("problem_other");
});
