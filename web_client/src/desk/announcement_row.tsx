import type { RefObject } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { canRecord } from "../media/recorder";
import type { Announcements, Prompt } from "../protocol";
import { type AnnouncementsState, standing, type Work, wordsOf } from "../state/announcements";
import { LANGUAGES, useWords, type WordKey } from "../words";
import { type AnnouncementWord, problemWord, useAnnouncementWords } from "./announcement_words";
import type { AnnouncementsApp } from "./announcements_app";

const KINDS = "audio/*,.wav,.mp3,.m4a,.ogg,.flac,.webm";

export interface AnnouncementRowProps {
  prompt: Prompt;
  all: Announcements;
  state: AnnouncementsState;
  app: AnnouncementsApp;
}

/** One announcement in the chosen language: what is said, by whom, and how to change that. */
export function AnnouncementRow(props: AnnouncementRowProps) {
  const { prompt, all, state } = props;
  const say = useAnnouncementWords();
  const { nameOf } = useWords();
  const id = useId();
  const work = state.work?.prompt === prompt ? state.work : null;
  const stands = standing(all, prompt, state.language);
  const words = wordsOf(all, prompt, state.language);
  const box = useFocusWithin<HTMLElement>(`${work?.step}/${stands}`);
  const wide = nameOf(state.language.split("-")[0] ?? "");
  return (
    <section class="announcement" aria-labelledby={id} ref={box}>
      <h3 id={id}>{say(`prompt_${prompt}`)}</h3>
      <p>{work ? say(work.step) : say(`standing_${stands}`, wide)}</p>
      <p class="hint">
        {say(stands === "english" ? "wordsEnglish" : "words")}{" "}
        <q lang={words.language}>{words.text}</q>
      </p>
      <ProblemNote code={state.problem?.prompt === prompt ? state.problem.code : null} />
      <div class="row">
        {work ? <WorkButtons {...props} work={work} /> : <IdleButtons {...props} />}
      </div>
    </section>
  );
}

/** What did not work with announcements, or with the microphone. */
export function ProblemNote({ code }: { code: string | null }) {
  const say = useAnnouncementWords();
  const { t } = useWords();
  const device = `device.microphone.${code?.replace("device.", "")}`;
  const known = Object.hasOwn(LANGUAGES.en, device);
  return (
    <div role="alert">
      {code && (
        <p class="note note-warn">{known ? t(device as WordKey) : say(problemWord(code))}</p>
      )}
    </div>
  );
}

function IdleButtons({ prompt, all, state, app }: AnnouncementRowProps) {
  const file = useRef<HTMLInputElement>(null);
  const stands = standing(all, prompt, state.language);
  const spoken = all.spoken.some((each) => each.language === state.language);
  const elsewhere = state.work !== null;
  const take = (input: HTMLInputElement): void => {
    const chosen = input.files?.[0];
    if (chosen) app.draft(prompt, chosen);
    input.value = ""; // so that the same file can be chosen again
  };
  return (
    <>
      <Listen prompt={prompt} state={state} app={app} off={elsewhere} />
      {canRecord() && (
        <Deed word="record" of={prompt} off={elsewhere} run={() => app.record(prompt)} />
      )}
      <Deed word="upload" of={prompt} off={elsewhere} run={() => file.current?.click()} />
      <input
        ref={file}
        type="file"
        accept={KINDS}
        hidden
        onChange={(event) => take(event.currentTarget)}
      />
      {stands === "own" && (
        <Deed
          word={spoken ? "back" : "backPlain"}
          of={prompt}
          off={elsewhere}
          run={() => void app.remove(prompt)}
        />
      )}
    </>
  );
}

function WorkButtons({ prompt, state, app, work }: AnnouncementRowProps & { work: Work }) {
  if (work.step === "asking")
    return <Deed key="asked" word="cancel" of={prompt} run={() => app.discard()} />;
  if (work.step === "recording") {
    return (
      <>
        <Deed key="stop" word="stop" of={prompt} main run={() => app.stopRecording()} />
        <Deed key="cancel" word="cancel" of={prompt} run={() => app.discard()} />
      </>
    );
  }
  if (work.step !== "draft") return null;
  // The keys make other buttons of them: a second press of "Stop" must not use the recording.
  return (
    <>
      <Listen key="listen" prompt={prompt} state={state} app={app} />
      <Deed key="keep" word="keep" of={prompt} main run={() => void app.keep()} />
      <Deed key="discard" word="discard" of={prompt} run={() => app.discard()} />
    </>
  );
}

interface ListenProps extends Omit<AnnouncementRowProps, "all"> {
  off?: boolean;
}

function Listen({ prompt, state, app, off = false }: ListenProps) {
  const playing = state.playing === prompt;
  return (
    <Deed
      word={playing ? "quiet" : "listen"}
      of={prompt}
      off={off}
      run={() => (playing ? app.stopHearing() : void app.hear(prompt))}
    />
  );
}

interface DeedProps {
  word: AnnouncementWord;
  of: Prompt;
  run: () => void;
  main?: boolean;
  off?: boolean;
}

/** A button that says what it does and, to those who hear the page, with which announcement. */
function Deed({ word, of, run, main = false, off = false }: DeedProps) {
  const say = useAnnouncementWords();
  return (
    <button
      type="button"
      class={main ? "button button-main" : "button button-small"}
      aria-label={`${say(word)}: ${say(`prompt_${of}`)}`}
      disabled={off}
      onClick={run}
    >
      {say(word)}
    </button>
  );
}

/** Gives the focus to the row's first button when the one that had it has gone with a step. */
function useFocusWithin<Box extends HTMLElement>(step: string): RefObject<Box | null> {
  const box = useRef<Box>(null);
  const shown = useRef(step);
  useEffect(() => {
    if (shown.current === step) return;
    shown.current = step;
    const lost = !document.activeElement || document.activeElement === document.body;
    if (lost) box.current?.querySelector("button")?.focus();
  }, [step]);
  return box;
}
