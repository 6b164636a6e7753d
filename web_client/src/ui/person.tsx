import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useWords } from "../words";
import { MessageForm } from "./message_form";

export interface Deed {
  label: string;
  look?: "main" | "danger";
  run: () => void;
}

export interface PersonProps {
  name: string;
  facts: readonly string[];
  deeds: readonly Deed[];
  onMessage?: ((text: string) => Promise<boolean>) | undefined;
  /** What goes on with them, and what can be done about that. */
  about?: ComponentChildren;
  children?: ComponentChildren;
}

/** One person in a list, with what one may do about them. The group carries the person's name. */
export function Person({ name, facts, deeds, onMessage, about, children }: PersonProps) {
  const { t } = useWords();
  const [writing, setWriting] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const written = useRef(false);
  useEffect(() => {
    if (written.current && !writing) opener.current?.focus();
    written.current = writing;
  }, [writing]);
  const id = useId();
  return (
    <li>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would make this a form control */}
      <div class="person" role="group" aria-labelledby={id}>
        <p class="person-name" id={id}>
          {name || t("list.unnamed")}
        </p>
        <p class="person-facts">
          {facts.filter(Boolean).map((fact) => (
            <span key={fact}>{fact}</span>
          ))}
        </p>
        {children && <p class="person-facts">{children}</p>}
        {about}
        <div class="row">
          {deeds.map(({ label, look, run }) => (
            <button
              key={label}
              type="button"
              class={`button button-small ${look ? `button-${look}` : ""}`}
              aria-describedby={id}
              onClick={run}
            >
              {label}
            </button>
          ))}
          {onMessage && !writing && (
            <button
              ref={opener}
              type="button"
              class="button button-small"
              aria-describedby={id}
              onClick={() => setWriting(true)}
            >
              {t("action.message")}
            </button>
          )}
        </div>
        {onMessage && writing && (
          <MessageForm name={name} onSend={onMessage} onClose={() => setWriting(false)} />
        )}
      </div>
    </li>
  );
}
