import { useEffect, useState } from "preact/hooks";
import { useLanguage } from "../lib/language";
import { useStore } from "../lib/store";
import type { PracticeCard } from "../protocol";
import { SECOND_TICK } from "../timing";
import { Frame } from "../ui/frame";
import { Heading } from "../ui/heading";
import { Icon } from "../ui/icon";
import { Sound } from "../ui/picture";
import { useWords, WordsContext } from "../words";
import type { PhoneApp } from "./phone_app";
import { KEYS, type PhoneScreen, type PhoneState, phoneScreen } from "./phone_state";
import { type PhoneWord, phoneWord } from "./words";

interface PartProps {
  app: PhoneApp;
  state: PhoneState;
  practice: PracticeCard;
}

function usePhoneWords(): (word: PhoneWord, value?: string) => string {
  const { language } = useWords();
  return (word, value) => phoneWord(language, word, value);
}

/** The practice's name for its own number, as a phone shows somebody it knows. */
function callerOf(state: PhoneState, practice: PracticeCard, unknown: string): [string, string] {
  const number = state.phone?.caller ?? "";
  if (number !== "" && number === practice.phone) return [practice.name, number];
  return [number || unknown, ""];
}

/** The demo's telephone, as big and plain as one. */
export function PhonePage({ app, practice }: { app: PhoneApp; practice: PracticeCard }) {
  const state = useStore(app.store);
  const [words, setLanguage] = useLanguage();
  const screen = phoneScreen(state);
  useEffect(() => {
    const title = phoneWord(words.language, "title");
    const ringing = phoneWord(words.language, "ringing");
    document.title = screen === "ringing" ? `${ringing} · ${title}` : title;
  }, [words, screen]);
  return (
    <WordsContext.Provider value={words}>
      <Frame practice={{ name: "", phone: "" }} onLanguage={setLanguage} className="handset">
        <News state={state} />
        <Screen key={screen} screen={screen} app={app} state={state} practice={practice} />
        {[...state.streams.values()].map((stream) => (
          <Sound key={stream.id} stream={stream} onRefused={() => undefined} />
        ))}
      </Frame>
    </WordsContext.Provider>
  );
}

const NEWS: Partial<Record<PhoneScreen, PhoneWord>> = { ringing: "ringing", talking: "talking" };

/** What screen readers are told, whatever has the focus. */
function News({ state }: { state: PhoneState }) {
  const t = usePhoneWords();
  const word = NEWS[phoneScreen(state)] ?? (state.ended ? "ended" : null);
  return (
    <p class="unseen" role="status">
      {state.away ? t("away") : word && t(word)}
    </p>
  );
}

function Screen({ screen, ...part }: PartProps & { screen: PhoneScreen }) {
  switch (screen) {
    case "off":
      return <Off {...part} />;
    case "taken":
      return <Taken {...part} />;
    case "ringing":
      return <Ringing {...part} />;
    case "talking":
      return <Talking {...part} />;
    default:
      return <Idle {...part} />;
  }
}

function Off({ app }: PartProps) {
  const t = usePhoneWords();
  return (
    <>
      <Heading>{t("title")}</Heading>
      <p>{t("explain")}</p>
      <button type="button" class="button button-main button-big" onClick={() => app.switchOn()}>
        <Icon name="phone" />
        {t("switchOn")}
      </button>
      <p class="hint">{t("switchOnHint")}</p>
    </>
  );
}

function Taken({ app }: PartProps) {
  const t = usePhoneWords();
  return (
    <>
      <Heading>{t("taken")}</Heading>
      <p>{t("takenBody")}</p>
      <button type="button" class="button button-main button-big" onClick={() => app.switchOn()}>
        {t("takeBack")}
      </button>
    </>
  );
}

function Idle({ app, state }: PartProps) {
  const t = usePhoneWords();
  const number = state.phone?.number ?? "";
  return (
    <>
      <Heading>{t("idle")}</Heading>
      {state.away && <p class="note note-warn">{t("away")}</p>}
      {state.ended && <p class="note">{t("ended")}</p>}
      {number !== "" && (
        <p>
          {t("number")} <strong class="handset-number">{number}</strong>
        </p>
      )}
      <p>{t("idleBody")}</p>
      {state.phone && (
        <label class="handset-switch">
          <input
            type="checkbox"
            checked={state.phone.voicemail}
            onChange={(event) => app.switchVoicemail(event.currentTarget.checked)}
          />
          {t("voicemail")}
        </label>
      )}
    </>
  );
}

function Caller({ state, practice, word }: PartProps & { word: PhoneWord }) {
  const t = usePhoneWords();
  const [name, number] = callerOf(state, practice, t("unknown"));
  return (
    <div class="handset-caller">
      <p>{t(word)}</p>
      <Heading>{name}</Heading>
      {number !== "" && <p>{number}</p>}
    </div>
  );
}

function Ringing(part: PartProps) {
  const t = usePhoneWords();
  const { app } = part;
  return (
    <>
      <Caller {...part} word="ringing" />
      <div class="handset-choice">
        <button type="button" class="button handset-no" onClick={() => app.does("decline")}>
          {t("decline")}
        </button>
        <button type="button" class="button button-main" onClick={() => app.does("answer")}>
          <Icon name="phone" />
          {t("answer")}
        </button>
      </div>
    </>
  );
}

function Talking(part: PartProps) {
  const t = usePhoneWords();
  const { app, state } = part;
  useTypedKeys(app);
  return (
    <>
      <Caller {...part} word="talking" />
      <Duration since={state.since} />
      <p>{t("listen")}</p>
      <fieldset class="handset-keys">
        <legend class="unseen">{t("keypad")}</legend>
        {KEYS.map((key) => (
          <button type="button" class="button" key={key} onClick={() => app.press(key)}>
            {key}
          </button>
        ))}
      </fieldset>
      <p class="handset-pressed" role="status">
        {state.keys && t("pressed", state.keys)}
      </p>
      {state.microphone === "asking" && <p class="note">{t("microphoneAsking")}</p>}
      {state.microphone === "off" && <p class="note note-warn">{t("microphoneOff")}</p>}
      <button
        type="button"
        class="button button-big handset-no"
        onClick={() => app.does("hang_up")}
      >
        {t("hangUp")}
      </button>
    </>
  );
}

/** A computer's own keys work as the phone's. */
function useTypedKeys(app: PhoneApp): void {
  useEffect(() => {
    const typed = (event: KeyboardEvent): void => {
      const isShortcut = event.ctrlKey || event.metaKey || event.altKey;
      if (!isShortcut && !event.repeat && KEYS.some((key) => key === event.key)) {
        app.press(event.key);
      }
    };
    addEventListener("keydown", typed);
    return () => removeEventListener("keydown", typed);
  }, [app]);
}

function Duration({ since }: { since: number | null }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), SECOND_TICK);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.round((now - (since ?? now)) / 1000));
  const shown = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return (
    <p class="handset-time" role="timer">
      {shown}
    </p>
  );
}
