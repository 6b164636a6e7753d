import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useWords } from "../words";

export interface InviteLinkProps {
  link: string;
  text: string;
  subject: string;
  onClose: () => void;
}

/** A new link, shown once: to copy, or to send from this person's own phone or mail program. */
export function InviteLink({ link, text, subject, onClose }: InviteLinkProps) {
  const { t } = useWords();
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const main = useRef<HTMLButtonElement>(null);
  const [copied, setCopied] = useState(false);
  const body = encodeURIComponent(text);
  useEffect(() => main.current?.focus(), []); // the button that led here is gone
  const copy = async (): Promise<void> => {
    field.current?.select();
    const done = await navigator.clipboard?.writeText(link).then(
      () => true,
      () => false,
    );
    setCopied(done ?? document.execCommand("copy")); // without HTTPS there is no clipboard
  };
  return (
    <>
      <p>{t("invite.once")}</p>
      <p class="field">
        <label for={id}>{t("invite.link")}</label>
        <input ref={field} id={id} type="text" readOnly value={link} />
      </p>
      <div class="row">
        <button ref={main} type="button" class="button button-main" onClick={copy}>
          {t("invite.copy")}
        </button>
        <a class="button" href={`sms:?&body=${body}`}>
          {t("invite.sms")}
        </a>
        <a class="button" href={`mailto:?subject=${encodeURIComponent(subject)}&body=${body}`}>
          {t("invite.mail")}
        </a>
        <button type="button" class="button" onClick={onClose}>
          {t("invite.close")}
        </button>
      </div>
      <p role="status">{copied && t("invite.copied")}</p>
    </>
  );
}
