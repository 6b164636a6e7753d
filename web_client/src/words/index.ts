import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { en } from "./en";
import { es } from "./es";

/** A text with `{gaps}`, or one text per plural category of the language, chosen by `{n}`. */
export type Text = string | Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>;
export type WordKey = keyof typeof en;
export type Values = Readonly<Record<string, string | number>>;

export const LANGUAGES = { en, es } satisfies Record<string, Record<WordKey, Text>>;
export type Language = keyof typeof LANGUAGES;

/** What each language calls itself. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: "English", es: "Español" };

function isLanguage(code: string): code is Language {
  return Object.hasOwn(LANGUAGES, code);
}

/** The first language we speak among these BCP 47 tags, best first; else English. */
export function pickLanguage(tags: readonly (string | null)[]): Language {
  const codes = tags.map((tag) => (tag ?? "").toLowerCase().split("-")[0] ?? "");
  return codes.find(isLanguage) ?? "en";
}

export interface Words {
  language: Language;
  t: (key: WordKey, values?: Values) => string;
  /** "2:05 PM", as the reader's country writes it, in the reader's time zone. */
  clock: (seconds: number) => string;
  /** The clock time alone when it is today, else with its day. */
  when: (seconds: number, now: number) => string;
  /** What the reader calls this language: "Spanish" for `es`. */
  nameOf: (language: string) => string;
  /** "Monday, June 1 at 2:05 PM". */
  day: (seconds: number) => string;
}

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (gap, name) => String(values[name] ?? gap));
}

/** The tag whose habits of writing times we follow: the reader's own region, where it is known. */
function regional(language: Language, tags: readonly string[]): string {
  return tags.find((tag) => tag.toLowerCase().split("-")[0] === language) ?? language;
}

export function speak(language: Language, tags: readonly string[] = []): Words {
  const locale = regional(language, tags);
  const plural = new Intl.PluralRules(locale);
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
  const names = new Intl.DisplayNames(locale, { type: "language" });
  const day = new Intl.DateTimeFormat(locale, {
    weekday: "long",
    day: "numeric",
    month: "long",
    hour: "numeric",
    minute: "2-digit",
  });
  return {
    language,
    t(key, values = {}) {
      const text: Text = LANGUAGES[language][key];
      if (typeof text === "string") return fill(text, values);
      return fill(text[plural.select(Number(values.n))] ?? text.other ?? "", values);
    },
    nameOf: (tag) => nameOf(names, tag),
    clock: (seconds) => clock.format(seconds * 1000),
    day: (seconds) => day.format(seconds * 1000),
    when: (seconds, now) => (isSameDay(seconds, now) ? clock : day).format(seconds * 1000),
  };
}

function isSameDay(one: number, other: number): boolean {
  return new Date(one * 1000).toDateString() === new Date(other * 1000).toDateString();
}

function nameOf(names: Intl.DisplayNames, tag: string): string {
  try {
    return (tag && names.of(tag)) ?? tag;
  } catch {
    return tag; // not a language tag; somebody wrote a word
  }
}

export const WordsContext = createContext<Words>(speak("en"));

export function useWords(): Words {
  return useContext(WordsContext);
}
