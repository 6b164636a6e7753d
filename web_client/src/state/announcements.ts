import type { Announcements, Prompt, Recording } from "../protocol";

/** In the order in which a call meets them. */
export const PROMPTS: readonly Prompt[] = [
  "gate",
  "connecting",
  "first_in_line",
  "joined",
  "hand_back",
  "interrupted",
  "goodbye",
  "trial",
  "trial_done",
];

/** The one announcement that is being recorded or changed right now. */
export type Work =
  | { step: "asking" | "recording" | "removing"; prompt: Prompt }
  | { step: "draft" | "sending"; prompt: Prompt; audio: Blob };

/** What somebody who does not see the page is told. */
export type AnnouncementNews = "recording" | "draft" | "kept" | "removed";

export interface AnnouncementsState {
  announcements: Announcements | null;
  language: string;
  /** Tags that somebody asked for here, beside those that are spoken or recorded. */
  added: readonly string[];
  work: Work | null;
  playing: Prompt | null;
  /** What did not work; without an announcement it concerns all of them. */
  problem: { prompt: Prompt | null; code: string } | null;
  news: AnnouncementNews | null;
}

export type AnnouncementsEvent =
  | { type: "loading" }
  | { type: "loaded"; announcements: Announcements }
  | { type: "chose"; language: string }
  | { type: "began"; prompt: Prompt }
  | { type: "recording" }
  | { type: "drafted"; prompt: Prompt; audio: Blob }
  | { type: "sending" }
  | { type: "kept" }
  | { type: "removing"; prompt: Prompt }
  | { type: "removed" }
  | { type: "discarded" }
  | { type: "playing"; prompt: Prompt | null }
  | { type: "failed"; prompt: Prompt | null; code: string };

export function announcementsAtFirst(language: string): AnnouncementsState {
  return {
    announcements: null,
    language,
    added: [],
    work: null,
    playing: null,
    problem: null,
    news: null,
  };
}

export function announcementsAfter(
  state: AnnouncementsState,
  event: AnnouncementsEvent,
): AnnouncementsState {
  const { work } = state;
  const quiet = { ...state, problem: null, news: null };
  switch (event.type) {
    case "loading":
      return quiet;
    case "loaded":
      return { ...state, announcements: event.announcements };
    case "chose":
      return {
        ...quiet,
        language: event.language,
        added: [...new Set([...state.added, event.language])],
      };
    case "began":
      return { ...quiet, work: { step: "asking", prompt: event.prompt } };
    case "recording":
      return work
        ? { ...quiet, work: { step: "recording", prompt: work.prompt }, news: "recording" }
        : state;
    case "drafted":
      return {
        ...quiet,
        work: { step: "draft", prompt: event.prompt, audio: event.audio },
        news: "draft",
      };
    case "sending":
      return work?.step === "draft" ? { ...quiet, work: { ...work, step: "sending" } } : state;
    case "removing":
      return { ...quiet, work: { step: "removing", prompt: event.prompt } };
    case "kept":
    case "removed":
      return work ? settled(quiet, work, event.type) : state;
    case "discarded":
      return { ...quiet, work: null };
    case "playing":
      return { ...state, playing: event.prompt };
    case "failed":
      return {
        ...quiet,
        work: work?.step === "sending" ? { ...work, step: "draft" } : afterFailure(work),
        problem: { prompt: event.prompt, code: event.code },
      };
  }
}

/** A recording that could not be sent, or not be played here, is still there to be tried again. */
function afterFailure(work: Work | null): Work | null {
  return work?.step === "draft" ? work : null;
}

function settled(
  state: AnnouncementsState,
  { prompt }: Work,
  news: "kept" | "removed",
): AnnouncementsState {
  const { announcements, language } = state;
  if (!announcements) return state;
  const others = announcements.recordings.filter((each) => !isAt(each, prompt, language));
  const recordings = news === "kept" ? [...others, { prompt, language }] : others;
  return { ...state, announcements: { ...announcements, recordings }, work: null, news };
}

function isAt(place: Recording, prompt: Prompt, language: string): boolean {
  return place.prompt === prompt && place.language === language;
}

/**
 * What a telephone in this language hears: the practice's recording, that of the language without
 * its region, the computer, or what is said in English.
 */
export type Standing = "own" | "wider" | "computer" | "english";

export function standing(all: Announcements, prompt: Prompt, language: string): Standing {
  const wide = withoutRegion(language);
  if (all.recordings.some((each) => isAt(each, prompt, language))) return "own";
  if (all.recordings.some((each) => isAt(each, prompt, wide))) return "wider";
  return all.spoken.some((each) => isAt(each, prompt, wide)) ? "computer" : "english";
}

/** The computer's words in this language, or the English ones to be translated. */
export function wordsOf(
  all: Announcements,
  prompt: Prompt,
  language: string,
): { language: string; text: string } {
  const wide = withoutRegion(language);
  const texts = all.spoken.filter((each) => each.prompt === prompt);
  const text = texts.find((each) => each.language === wide) ?? texts[0];
  return { language: text?.language ?? "", text: text?.text ?? "" };
}

/** Languages to choose from: those that are spoken, recorded, or were asked for. */
export function languagesOf({ announcements, language, added }: AnnouncementsState): string[] {
  const known = [...(announcements?.spoken ?? []), ...(announcements?.recordings ?? [])];
  return [...new Set([...known.map((each) => each.language), ...added, language])];
}

const TAG = /^[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}$/; // RFC 5646, as much of it as the server takes

/** The tag as the server keeps it; null when it is none. */
export function languageTag(typed: string): string | null {
  const tag = typed.trim().replaceAll("_", "-").toLowerCase();
  return TAG.test(tag) ? tag : null;
}

function withoutRegion(language: string): string {
  return language.split("-")[0] ?? "";
}
