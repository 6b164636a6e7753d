import { useEffect, useMemo, useState } from "preact/hooks";
import { type Language, pickLanguage, speak, type Words } from "../words";

const KEPT = "bedside-language";

function kept(): string | null {
  try {
    return sessionStorage.getItem(KEPT);
  } catch {
    return null; // storage is forbidden in some private windows
  }
}

function keep(language: Language): void {
  try {
    sessionStorage.setItem(KEPT, language);
  } catch {
    // the choice then lasts as long as the page
  }
}

/**
 * The reader's own choice comes first, then the link, then the browser. The choice belongs to this
 * tab: the next person at the same computer may speak another language.
 */
export function useLanguage(): [Words, (language: Language) => void] {
  const [language, setLanguage] = useState(() => {
    const link = new URLSearchParams(location.search).get("lang");
    return pickLanguage([kept(), link, ...navigator.languages]);
  });
  const words = useMemo(() => speak(language, navigator.languages), [language]);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return [
    words,
    (chosen) => {
      keep(chosen);
      setLanguage(chosen);
    },
  ];
}
