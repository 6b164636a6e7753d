import { useState } from "preact/hooks";
import type { Role } from "../protocol";
import { ChoiceField } from "../ui/choice_field";
import { Dialog } from "../ui/dialog";
import { TextField } from "../ui/text_field";
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

const SPOKEN = Object.entries(LANGUAGE_NAMES).map(([code, own]) => ({
  value: code as Language,
  text: own,
  lang: code,
}));

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
      <ChoiceField
        label={t("invite.role")}
        choices={ROLES.map((each) => ({ value: each, text: t(`role.${each}`) }))}
        value={role}
        onValue={setRole}
      />
      <TextField label={t("invite.name")} value={name} onValue={setName} required />
      {role === "family" && (
        <TextField
          label={t("invite.relationship")}
          value={relationship}
          onValue={setRelationship}
        />
      )}
      <ChoiceField
        label={t("invite.language")}
        choices={SPOKEN}
        value={language}
        onValue={setLanguage}
      />
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
