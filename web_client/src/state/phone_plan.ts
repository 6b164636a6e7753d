/** The version of the words `plan.consent`; whoever changes those gives them a new one. */
export const PLAN_WORDING = "2026-11";

/** The version of the words `record.text`, which staff read aloud. */
export const SPOKEN_WORDING = "2026-11-spoken";

/** The id of a person's own number; other numbers of a seat have ids that whoever adds them makes. */
export const OWN_NUMBER = "own";

/** What became of the question whom to call: it is asked until it is answered or put off. */
export type PlanStep = "asked" | "skipped" | "settled";

const MOBILE = /Android|iPhone|iPad|Mobi/i;

/** Whether this browser most likely runs on the telephone that would be called. */
export function looksLikePhone(userAgent: string): boolean {
  return MOBILE.test(userAgent);
}
