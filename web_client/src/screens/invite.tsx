import { useId, useState } from "preact/hooks";
import type { Role } from "../protocol";
import { Dialog } from "../ui/dialog";
import { LANGUAGE_NAMES, type Language, speak, useWords } from "../words";
import { useApp } from "./context";
import { InviteLink } from "./invite_link";

const ROLES: readonly Role[] = [
  "family",
  "interpreter",
  "consultant",
  "presenter",
  "observer",
  "provider",
];

interface Invited {
  name: string;
  link: string;
  language: Language;
}

/** Makes a link for somebody else, and helps to send it. */
export function Invite({ practice }: { practice: string }) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const [invited, setInvited] = useState<Invited | null>(null);
  const close = (): void => {
    setOpen(false);
    setInvited(null);
  };
  const title = invited ? t("invite.done", { name: invited.name }) : t("invite.title");
  return (
    <>
      <button type="button" class="button" onClick={() => setOpen(true)}>
        {t("invite.open")}
      </button>
      {open && (
        <Dialog title={title} onClose={close}>
          {invited ? (
            <InviteLink
              link={invited.link}
              text={speak(invited.language).t("invite.text", { practice, link: invited.link })}
              subject={speak(invited.language).t("invite.subject")}
              onClose={close}
            />
          ) : (
            <InviteForm onInvited={setInvited} onClose={close} />
          )}
        </Dialog>
      )}
    </>
  );
}

/** The link, opening in the language of whoever gets it. */
function speaking(link: string, language: Language): string {
  const url = new URL(link);
  url.searchParams.set("lang", language);
  return url.href;
}

interface InviteFormProps {
  onInvited: (invited: Invited) => void;
  onClose: () => void;
}

function InviteForm({ onInvited, onClose }: InviteFormProps) {
  const words = useWords();
  const { t } = words;
  const app = useApp();
  const id = useId();
  const [role, setRole] = useState<Role>("family");
  const [name, setName] = useState("");
  const [relationship, setRelationship] = useState("");
  const [language, setLanguage] = useState<Language>(words.language);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const family = role === "family" && relationship ? { relationship } : {};
    const answer = await app.attempt("seat:invite", { role, name, language, ...family });
    if ("ok" in answer) onInvited({ name, language, link: speaking(answer.link, language) });
    else onClose(); // what went wrong is said on the screen below
  };
  return (
    <form onSubmit={submit}>
      <p class="field">
        <label for={`${id}-role`}>{t("invite.role")}</label>
        <select
          id={`${id}-role`}
          value={role}
          onChange={(event) => setRole(event.currentTarget.value as Role)}
        >
          {ROLES.map((each) => (
            <option key={each} value={each}>
              {t(`role.${each}`)}
            </option>
          ))}
        </select>
      </p>
      <TextField label={t("invite.name")} value={name} onValue={setName} required />
      {role === "family" && (
        <TextField
          label={t("invite.relationship")}
          value={relationship}
          onValue={setRelationship}
        />
      )}
      <p class="field">
        <label for={`${id}-language`}>{t("invite.language")}</label>
        <select
          id={`${id}-language`}
          value={language}
          onChange={(event) => setLanguage(event.currentTarget.value as Language)}
        >
          {Object.entries(LANGUAGE_NAMES).map(([code, own]) => (
            <option key={code} value={code} lang={code}>
              {own}
            </option>
          ))}
        </select>
      </p>
      <div class="row">
        <button type="submit" class="button button-main">
          {t("invite.create")}
        </button>
        <button type="button" class="button" onClick={onClose}>
          {t("message.cancel")}
        </button>
      </div>
    </form>
  );
}

interface TextFieldProps {
  label: string;
  value: string;
  onValue: (value: string) => void;
  required?: boolean;
}

function TextField({ label, value, onValue, required = false }: TextFieldProps) {
  const id = useId();
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        autocomplete="off"
        maxLength={128}
        required={required}
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </p>
  );
}
