import { useEffect, useId, useState } from "preact/hooks";
import { useStore } from "../lib/store";
import { Announcer } from "../screens/banner";
import { languagesOf, languageTag, PROMPTS } from "../state/announcements";
import { Dialog } from "../ui/dialog";
import { useWords } from "../words";
import { AnnouncementRow, ProblemNote } from "./announcement_row";
import { useAnnouncementWords } from "./announcement_words";
import { AnnouncementsApp } from "./announcements_app";

/** What the practice's telephones say: a quiet button, and a dialog behind it. */
export function Announcements({ credential }: { credential: () => string }) {
  const say = useAnnouncementWords();
  const [open, setOpen] = useState(false);
  return (
    <div class="announcements-open">
      <button type="button" class="link" onClick={() => setOpen(true)}>
        {say("open")}
      </button>
      {open && <AnnouncementsDialog credential={credential} onClose={() => setOpen(false)} />}
    </div>
  );
}

interface AnnouncementsDialogProps {
  credential: () => string;
  onClose: () => void;
}

function AnnouncementsDialog({ credential, onClose }: AnnouncementsDialogProps) {
  const say = useAnnouncementWords();
  const { language } = useWords();
  const [app] = useState(() => new AnnouncementsApp(credential, language));
  const state = useStore(app.store);
  const { announcements, problem, news } = state;
  useEffect(() => {
    void app.load();
    return () => app.close();
  }, [app]);
  return (
    <Dialog title={say("open")} onClose={onClose}>
      <p class="hint">{say("explain")}</p>
      <Announcer news={news ? say(`news_${news}`) : ""} />
      <ProblemNote code={problem && !problem.prompt ? problem.code : null} />
      {!announcements && !problem && <p role="status">{say("loading")}</p>}
      {announcements && (
        <>
          <LanguageChoice app={app} />
          <ul class="plain">
            {PROMPTS.map((prompt) => (
              <li key={`${prompt}/${state.language}`}>
                <AnnouncementRow prompt={prompt} all={announcements} state={state} app={app} />
              </li>
            ))}
          </ul>
        </>
      )}
      <div class="row announcements-end">
        {!announcements && problem && (
          <button type="button" class="button button-main" onClick={() => void app.load()}>
            {say("retry")}
          </button>
        )}
        <button type="button" class="button" onClick={onClose}>
          {say("close")}
        </button>
      </div>
    </Dialog>
  );
}

const ANOTHER = "another"; // too long for a language's code

function LanguageChoice({ app }: { app: AnnouncementsApp }) {
  const say = useAnnouncementWords();
  const { nameOf } = useWords();
  const state = useStore(app.store);
  const id = useId();
  const [typing, setTyping] = useState(false);
  const choose = (chosen: string): void => {
    setTyping(chosen === ANOTHER);
    if (chosen !== ANOTHER) app.choose(chosen);
  };
  return (
    <>
      <p class="field">
        <label for={id}>{say("language")}</label>
        <select
          id={id}
          value={typing ? ANOTHER : state.language}
          disabled={state.work !== null}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          {languagesOf(state).map((tag) => (
            <option key={tag} value={tag}>
              {nameOf(tag)}
            </option>
          ))}
          <option value={ANOTHER}>{say("another")}</option>
        </select>
      </p>
      {typing && <LanguageField onTag={choose} />}
    </>
  );
}

function LanguageField({ onTag }: { onTag: (tag: string) => void }) {
  const say = useAnnouncementWords();
  const id = useId();
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState(false);
  const submit = (event: Event): void => {
    event.preventDefault();
    const tag = languageTag(typed);
    setWrong(tag === null);
    if (tag) onTag(tag);
  };
  return (
    <form class="field" onSubmit={submit}>
      <label for={id}>{say("tag")}</label>
      <input
        id={id}
        type="text"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        maxLength={30}
        value={typed}
        aria-invalid={wrong}
        aria-describedby={`${id}-hint ${id}-problem`}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <p id={`${id}-hint`} class="hint">
        {say("tagHint")}
      </p>
      <p id={`${id}-problem`} role="alert" class="field-problem">
        {wrong && say("problem_prompt_language_invalid")}
      </p>
      <button type="submit" class="button">
        {say("show")}
      </button>
    </form>
  );
}
