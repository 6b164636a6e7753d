import type { MyLine } from "../protocol";

/** What the page offers somebody about their own connection. */
export type OwnDeed =
  | "call_me"
  | "no_call"
  | "stop"
  | "connect"
  | "hang_up"
  | "move_back"
  | "keep"
  | "plan";

export type OwnText =
  | "weak"
  | "silent"
  | "silent_plan"
  | "dialing"
  | "ringing"
  | "other"
  | "gate"
  | "entering"
  | "phone"
  | "moving"
  | "back"
  | "kept"
  | "no_calls"
  | NonNullable<MyLine["stuck"]>;

/** What a person is told about their own connection, and what they can do; the first deed first. */
export interface OwnStory {
  text: OwnText;
  deeds: readonly OwnDeed[];
  /** No telephone helps by itself: they had better call the clinic. */
  clinic: boolean;
}

function story(text: OwnText, ...deeds: OwnDeed[]): OwnStory {
  return { text, deeds, clinic: false };
}

/**
 * Null while there is nothing to say: all is well, or the call under way only tries the number.
 * Where the server calls nobody, nobody is asked for a number.
 */
export function ownStory(line: MyLine, callsPeople = true): OwnStory | null {
  if (line.trial || line.state === "good") return null;
  return callsPeople ? toldWithPhone(line) : toldWithout(line);
}

function toldWithout({ state, sound }: MyLine): OwnStory {
  if (state === "stuck") return { text: "no_calls", deeds: [], clinic: true };
  return story(sound === "silent" ? "silent" : "weak");
}

function toldWithPhone(line: MyLine): OwnStory | null {
  switch (line.state) {
    case "good":
      return null;
    case "degraded":
      return degraded(line);
    case "stuck":
      return stuck(line);
    case "dialing":
    case "ringing":
      return story(line.other_phone ? "other" : line.state, "stop");
    case "gate":
      return story("gate", "connect", "hang_up");
    case "bridged":
    case "recovering":
      return onPhone(line);
  }
}

function degraded(line: MyLine): OwnStory {
  const deeds: OwnDeed[] = line.agreed ? ["call_me", "no_call"] : ["plan"];
  if (line.sound !== "silent") return story("weak", ...deeds);
  return story(line.agreed ? "silent_plan" : "silent", ...deeds);
}

function onPhone(line: MyLine): OwnStory {
  if (line.returning) return story("moving");
  if (!line.joined) return story("entering", "hang_up");
  if (line.state === "recovering") {
    return line.kept ? story("kept", "move_back") : story("back", "move_back", "keep");
  }
  return line.sound === "fine" ? story("phone", "move_back", "hang_up") : story("phone", "hang_up");
}

/** A number that does not work, or was refused, is given anew; any other may be tried again. */
function stuck(line: MyLine): OwnStory {
  const text = line.stuck ?? "stopped";
  const other = text === "not_reached" && line.why === "bad_number";
  const deeds: OwnDeed[] = line.agreed && !other ? ["call_me"] : ["plan"];
  return { text, deeds, clinic: true };
}

/** Their sound goes by telephone or is about to: the browser's microphone decides nothing. */
export function isInCall({ state, trial, returning }: MyLine): boolean {
  const placed = state !== "good" && state !== "degraded" && state !== "stuck";
  return placed && !trial && !returning;
}

/** The browser carries again what it did not: first the picture, then the sound. */
export function isBackFromPhone(before: MyLine, after: MyLine): boolean {
  const picture = before.state === "bridged" && after.state === "recovering";
  return picture || (isInCall(before) && !isInCall(after));
}

/** What came of "Ring me now", as far as this page saw it. */
export type Trial = "works" | "failed" | null;

export function trialAfter(before: MyLine | undefined, after: MyLine, known: Trial): Trial {
  if (after.trial) return null;
  if (!before?.trial) return known;
  return after.tried_at === before.tried_at ? "failed" : "works";
}
