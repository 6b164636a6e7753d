import { useEffect, useState } from "preact/hooks";
import { useLanguage } from "../lib/language";
import { useStore } from "../lib/store";
import type { PracticeCard, Snapshot } from "../protocol";
import { Announcer, ConnectionBanner, TroubleNote } from "../screens/banner";
import { Check } from "../screens/check";
import { Closed } from "../screens/closed";
import { AppContext, type ScreenProps, useApp } from "../screens/context";
import { Opening } from "../screens/opening";
import { OwnLine } from "../screens/own_line";
import { Room } from "../screens/room";
import { WaitingRoom } from "../screens/waiting";
import { closedCode, type JoinState, screenOf } from "../state/join";
import { ownStory } from "../state/own_line";
import { Frame } from "../ui/frame";
import { WordsContext } from "../words";
import type { JoinApp } from "./app";
import { keepInPresence } from "./presence";

export interface JoinPageProps {
  app: JoinApp;
  practice: PracticeCard;
}

function practiceNow(state: JoinState, page: PracticeCard): PracticeCard {
  const { practice_name: name, practice_phone: phone } = state.refusal ?? {};
  return state.view?.practice ?? (name ? { name, phone: phone ?? "" } : page);
}

/** What is wrong with this page's own connection; of a story that is told, no more than that. */
function Connection({ state }: ScreenProps) {
  const { me, calls_people: callsPeople } = state.view as Snapshot;
  const { inside, line } = me;
  const told = ownStory(line, callsPeople) !== null;
  const willCall = inside && !told && callsPeople && line.agreed;
  return (
    <>
      <ConnectionBanner
        awayAt={state.awayAt}
        mediaLostAt={told ? null : state.mediaLostAt}
        callTail={willCall ? line.number : ""}
      />
      {inside && <OwnLine state={state} />}
    </>
  );
}

/** The whole page of patient, family, provider and everybody else who has a seat. */
export function JoinPage({ app, practice }: JoinPageProps) {
  const state = useStore(app.store);
  const [words, setLanguage] = useLanguage();
  const [news, setNews] = useState("");
  const screen = screenOf(state);
  const shown = practiceNow(state, practice);
  useEffect(() => app.speaks(words.language), [app, words]);
  useEffect(() => {
    const say = (next: string): void => setNews((last) => (next === last ? `${next}\u00a0` : next));
    return keepInPresence(app.store, words, say);
  }, [app, words]);
  return (
    <WordsContext.Provider value={words}>
      <AppContext.Provider value={app}>
        <Frame
          practice={shown}
          onLanguage={setLanguage}
          className={screen === "visit" ? "page-visit" : ""}
        >
          <Announcer news={news} />
          {state.view && <Connection state={state} />}
          <TroubleNote code={state.trouble} />
          <CurrentScreen key={closedCode(state) ?? screen} state={state} practice={shown} />
        </Frame>
      </AppContext.Provider>
    </WordsContext.Provider>
  );
}

function CurrentScreen({ state, practice }: ScreenProps & { practice: PracticeCard }) {
  const app = useApp();
  const code = closedCode(state);
  if (code)
    return (
      <Closed
        code={code}
        practice={practice}
        problem={state.refusal}
        onAgain={() => void app.reopen()}
      />
    );
  switch (screenOf(state)) {
    case "check":
      return <Check state={state} />;
    case "waiting":
      return <WaitingRoom state={state} />;
    case "visit":
      return <Room state={state} />;
    default:
      return <Opening away={state.awayAt !== null} />;
  }
}
