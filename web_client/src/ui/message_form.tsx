import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useWords } from "../words";

const LONGEST = 500; // what the server takes

export interface MessageFormProps {
  name: string;
  onSend: (text: string) => Promise<boolean>;
  onClose: () => void;
}

/** Writes one line to somebody who waits. What could not be sent stays in the field. */
export function MessageForm({ name, onSend, onClose }: MessageFormProps) {
  const { t } = useWords();
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  useEffect(() => field.current?.focus(), []);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (text.trim() && (await onSend(text.trim()))) onClose();
  };
  return (
    <form class="message-form" onSubmit={send}>
      <label for={id}>{t("message.label", { name: name || t("list.unnamed") })}</label>
      <textarea
        ref={field}
        id={id}
        rows={2}
        maxLength={LONGEST}
        value={text}
        aria-describedby={`${id}-hint`}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <p id={`${id}-hint`} class="hint">
        {t("message.hint")}
      </p>
      <fieldset class="examples">
        <legend>{t("message.ready")}</legend>
        {[t("message.soon"), t("message.late")].map((example) => (
          <button key={example} type="button" class="link" onClick={() => setText(example)}>
            {example}
          </button>
        ))}
      </fieldset>
      <div class="row">
        <button type="submit" class="button button-small button-main">
          {t("message.send")}
        </button>
        <button type="button" class="button button-small" onClick={onClose}>
          {t("message.cancel")}
        </button>
      </div>
    </form>
  );
}
