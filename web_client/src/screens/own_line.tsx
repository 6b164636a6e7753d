import { useState } from "preact/hooks";
import type { Snapshot } from "../protocol";
import { type OwnDeed, ownStory } from "../state/own_line";
import { callWords, telephone } from "../ui/call_link";
import { useWords } from "../words";
import { type ScreenProps, useApp } from "./context";
import { PhonePanel } from "./phone_panel";

const MAIN: ReadonlySet<OwnDeed> = new Set(["call_me", "connect", "move_back", "plan"]);

const SIGNALS = {
  call_me: "phone:call_me",
  no_call: "phone:stop",
  stop: "phone:stop",
  hang_up: "phone:stop",
  connect: "phone:connect",
  keep: "phone:keep",
} as const;

/** What happens to one's own connection, step by step, and what one can do about it. */
export function OwnLine({ state }: ScreenProps) {
  const { t } = useWords();
  const view = state.view as Snapshot;
  const { line } = view.me;
  const story = ownStory(line, view.calls_people);
  const byBrowser = line.state === "stuck" || line.state === "degraded";
  const text = story && t(`own.${story.text}`, { tail: line.number });
  return (
    <section class={story ? "own-line" : ""} aria-label={t("own.title")}>
      <p role="status">
        {text}
        {story && byBrowser && line.why && ` ${t("line.last", { why: t(`failure.${line.why}`) })}`}
      </p>
      {story && (
        <div class="row">
          {story.deeds.map((deed, index) => (
            <DeedButton key={deed} deed={deed} main={index === 0 && MAIN.has(deed)} state={state} />
          ))}
          {story.clinic && view.practice.phone && (
            <a class="button" href={telephone(view.practice.phone)}>
              {callWords(view.practice, t)}
            </a>
          )}
        </div>
      )}
    </section>
  );
}

function DeedButton({ deed, main, state }: ScreenProps & { deed: OwnDeed; main: boolean }) {
  const { t } = useWords();
  const app = useApp();
  const [open, setOpen] = useState(false);
  const act = (): void => {
    if (deed === "plan") setOpen(true);
    else if (deed === "move_back") void app.moveBack();
    else void app.attempt(SIGNALS[deed], {});
  };
  return (
    <>
      <button type="button" class={main ? "button button-main" : "button"} onClick={act}>
        {t(`own.deed.${deed}`)}
      </button>
      {open && <PhonePanel state={state} onClose={() => setOpen(false)} />}
    </>
  );
}
