import type { ComponentChildren } from "preact";
import type { PracticeCard } from "../protocol";
import { LANGUAGE_NAMES, type Language, useWords } from "../words";
import { CallLink } from "./call_link";

export interface FrameProps {
  practice: PracticeCard;
  onLanguage: (language: Language) => void;
  className?: string;
  children: ComponentChildren;
}

/** What every screen has: whose page this is, how to call them, and the language switch. */
export function Frame({ practice, onLanguage, className = "", children }: FrameProps) {
  return (
    <>
      <header class="top">
        <p class="top-name">{practice.name}</p>
        <CallLink practice={practice} />
        <LanguageSwitch onLanguage={onLanguage} />
      </header>
      <main class={`page ${className}`}>{children}</main>
    </>
  );
}

function LanguageSwitch({ onLanguage }: Pick<FrameProps, "onLanguage">) {
  const words = useWords();
  const others = (Object.keys(LANGUAGE_NAMES) as Language[]).filter((l) => l !== words.language);
  return (
    <nav class="top-languages" aria-label={words.t("page.languages")}>
      {others.map((language) => (
        <button type="button" class="link" lang={language} onClick={() => onLanguage(language)}>
          {LANGUAGE_NAMES[language]}
        </button>
      ))}
    </nav>
  );
}
