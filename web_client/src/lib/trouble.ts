import { LANGUAGES, type WordKey } from "../words";

/** What to say about something that did not work, by the code of the refusal. */
export function troubleKey(code: string): WordKey {
  const key = `trouble.${code}`;
  return Object.hasOwn(LANGUAGES.en, key) ? (key as WordKey) : "trouble.other";
}
