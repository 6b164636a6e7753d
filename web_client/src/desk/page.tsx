import { useEffect } from "preact/hooks";
import { useLanguage } from "../lib/language";
import { useStore } from "../lib/store";
import type { DeskSnapshot, PracticeCard } from "../protocol";
import { ConnectionBanner, TroubleNote } from "../screens/banner";
import { type DeskState, inDeskOrder } from "../state/desk";
import { Frame } from "../ui/frame";
import { Heading } from "../ui/heading";
import { useKeptFocus } from "../ui/keep_focus";
import { useWords, WordsContext } from "../words";
import { Announcements } from "./announcements_panel";
import type { DeskApp } from "./app";
import { DeskVisitCard } from "./visit_card";

export interface DeskPageProps {
  app: DeskApp;
  practice: PracticeCard;
}

function waitingCount(state: DeskState): number {
  return state.desk?.visits.reduce((sum, visit) => sum + visit.waiting.length, 0) ?? 0;
}

/** The practice's visits today, whoever waits first. */
export function DeskPage({ app, practice }: DeskPageProps) {
  const state = useStore(app.store);
  const [words, setLanguage] = useLanguage();
  const { t } = words;
  const waiting = waitingCount(state);
  const shown = state.desk?.practice ?? practice;
  useEffect(() => {
    const parts = [t("desk.title"), shown.name];
    if (waiting > 0) parts.unshift(t("title.waiting", { n: waiting }));
    document.title = parts.filter(Boolean).join(" · ");
  }, [t, waiting, shown.name]);
  return (
    <WordsContext.Provider value={words}>
      <Frame practice={shown} onLanguage={setLanguage} className="page-wide">
        {state.desk && <ConnectionBanner awayAt={state.awayAt} mediaLostAt={null} />}
        <TroubleNote code={state.trouble} />
        <DeskScreen key={state.step} state={state} app={app} waiting={waiting} />
      </Frame>
    </WordsContext.Provider>
  );
}

interface DeskScreenProps {
  state: DeskState;
  app: DeskApp;
  waiting: number;
}

function DeskScreen({ state, app, waiting }: DeskScreenProps) {
  const { t } = useWords();
  if (state.step === "refused" || state.step === "over") {
    return (
      <>
        <Heading>{t("desk.closed.title")}</Heading>
        <p class="lead">{t("desk.closed.body")}</p>
        <button type="button" class="button button-main" onClick={() => app.reopen()}>
          {t("closed.again")}
        </button>
      </>
    );
  }
  if (!state.desk) {
    return (
      <>
        <Heading>{t("desk.title")}</Heading>
        <p role="status">{state.awayAt === null ? t("opening.body") : t("opening.away")}</p>
      </>
    );
  }
  return <Today state={state} desk={state.desk} app={app} waiting={waiting} />;
}

function Today({ state, desk, app, waiting }: DeskScreenProps & { desk: DeskSnapshot }) {
  const { t } = useWords();
  const box = useKeptFocus<HTMLDivElement>();
  const visits = inDeskOrder(desk.visits);
  return (
    <>
      <Heading>{t("desk.title")}</Heading>
      <p class="lead" role="status">
        {waiting > 0 ? t("desk.waiting", { n: waiting }) : t("desk.nobody")}
      </p>
      {!state.soundAllowed && (
        <div class="note">
          <p>{t("desk.sound_body")}</p>
          <button type="button" class="button" onClick={() => app.allowSound()}>
            {t("desk.sound_on")}
          </button>
        </div>
      )}
      {visits.length === 0 && <p>{t("desk.none")}</p>}
      <div class="desk-visits" ref={box}>
        {visits.map((visit) => (
          <DeskVisitCard key={visit.visit} visit={visit} state={state} app={app} />
        ))}
      </div>
      {desk.more > 0 && <p>{t("desk.more", { n: desk.more })}</p>}
      <Announcements credential={() => app.credential} />
    </>
  );
}
