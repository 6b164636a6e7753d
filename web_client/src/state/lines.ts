import type { LineReport, NumberChoice } from "../protocol";
import { OWN_NUMBER } from "./phone_plan";

/** What staff can do about somebody's connection. */
export type LineDeed =
  | "call"
  | "no_call"
  | "stop"
  | "greet"
  | "let_in"
  | "hang_up"
  | "confirm"
  | "wrong"
  | "keep";

export type LineText =
  | "weak"
  | "unusable"
  | "silent"
  | "dialing"
  | "ringing"
  | "gate"
  | "greeting"
  | "greeted"
  | "joining"
  | "phone"
  | "back"
  | NonNullable<LineReport["stuck"]>;

/** Who reads the story: their own seat, if they have one, and whether they may speak first. */
export interface Reader {
  seat: string;
  greets: boolean;
}

export interface LineStory {
  text: LineText;
  deeds: readonly LineDeed[];
}

/** Null while there is nothing to tell. */
export function lineStory(report: LineReport, reader: Reader): LineStory | null {
  if (report.trial) return null;
  switch (report.state) {
    case "good":
      return null;
    case "degraded":
      return { text: degraded(report), deeds: [...callable(report), "no_call"] };
    case "stuck":
      return { text: report.stuck ?? "stopped", deeds: callable(report) };
    case "dialing":
    case "ringing":
      return { text: report.state, deeds: ["stop"] };
    case "gate":
      return gate(report, reader);
    case "bridged":
    case "recovering":
      return onPhone(report, reader);
  }
}

function degraded({ sound }: LineReport): LineText {
  return sound === "fine" ? "weak" : sound;
}

/** Whether the person's own number may be called at all. */
export function isCallable(report: LineReport): boolean {
  return callable(report).length > 0;
}

function callable(report: LineReport): LineDeed[] {
  const own = report.numbers.find(({ id }) => id === OWN_NUMBER);
  return own?.agreed && report.stuck !== "refused" ? ["call"] : [];
}

function gate({ greeter }: LineReport, { seat, greets }: Reader): LineStory {
  if (greeter && greeter === seat) return { text: "greeting", deeds: ["let_in", "hang_up"] };
  if (greeter) return { text: "greeted", deeds: [] };
  return { text: "gate", deeds: greets ? ["greet", "stop"] : ["stop"] };
}

function onPhone(report: LineReport, { greets }: Reader): LineStory {
  const unsure = greets && !report.voice_confirmed;
  const deeds: LineDeed[] = unsure ? ["confirm", "wrong"] : [];
  if (!report.kept) deeds.push("keep");
  if (!unsure) deeds.push("hang_up");
  if (!report.joined) return { text: "joining", deeds };
  return { text: report.state === "recovering" ? "back" : "phone", deeds };
}

/** Whether staff should look at this person now, wherever else they are looking. */
export function needsAttention(report: LineReport): boolean {
  if (report.trial || report.state === "good") return false;
  if (!isOnPhone(report)) return true;
  return !report.joined || !report.voice_confirmed;
}

/** Whether nobody can hear this person, and no telephone is about to change that. */
export function isLost({ state, sound, trial }: LineReport): boolean {
  if (trial) return false;
  return state === "stuck" || (state === "degraded" && sound !== "weak" && sound !== "fine");
}

export function isOnPhone({ state }: Pick<LineReport, "state">): boolean {
  return state === "bridged" || state === "recovering";
}

/** Whether the browser's quality says how this person is heard. */
export function isHeardByBrowser({ state, page }: LineReport): boolean {
  return page && (state === "good" || state === "degraded" || state === "stuck");
}

/** A seat's numbers besides the person's own, by what may be done with them. */
export interface OtherNumbers {
  others: NumberChoice[];
  contacts: NumberChoice[];
  unagreed: NumberChoice[];
}

export function otherNumbers({ numbers }: Pick<LineReport, "numbers">): OtherNumbers {
  const rest = numbers.filter(({ id }) => id !== OWN_NUMBER);
  const agreed = rest.filter((number) => number.agreed);
  return {
    others: agreed.filter(({ contact }) => !contact),
    contacts: agreed.filter(({ contact }) => contact),
    unagreed: rest.filter((number) => !number.agreed),
  };
}

/** Whether staff may order a call to this person's own number just now. */
export function mayCallOwn(report: LineReport): boolean {
  return mayCall(report) && isCallable(report);
}

/** One call at a time: whether another may begin now. */
export function mayCall({ state }: LineReport): boolean {
  return state === "good" || state === "degraded" || state === "stuck";
}
