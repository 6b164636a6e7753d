import { useState } from "preact/hooks";
import { troubleKey } from "../lib/trouble";
import type { Snapshot } from "../protocol";
import type { JoinState } from "../state/join";
import { useWords, type Words } from "../words";
import { type ScreenProps, useApp } from "./context";

function trialWords(state: JoinState, { t }: Words): string {
  const { line } = (state.view as Snapshot).me;
  if (line.trial && (line.state === "dialing" || line.state === "ringing")) {
    return t(`trial.${line.state}`, { tail: line.number });
  }
  if (line.trial) return t("trial.gate");
  if (state.trial === "works") return t("trial.works");
  if (state.trial !== "failed") return "";
  return line.why ? t("trial.failed_why", { why: t(`failure.${line.why}`) }) : t("trial.failed");
}

/** "Ring me now": the call of the real thing, told step by step. It lets nobody into the visit. */
export function TryPhone({ state }: ScreenProps) {
  const words = useWords();
  const { t } = words;
  const app = useApp();
  const [problem, setProblem] = useState("");
  const { line } = (state.view as Snapshot).me;
  const idle = line.state === "good" || line.state === "degraded" || line.state === "stuck";
  const send = async (name: "phone:try" | "phone:stop"): Promise<void> => {
    const answer = await app.ask(name, {});
    setProblem("error" in answer ? answer.error.code : "");
  };
  const said = problem ? t(troubleKey(problem)) : trialWords(state, words);
  return (
    <div class="try">
      <p role="status" class={said ? "note" : ""}>
        {said}
      </p>
      {line.trial && (
        <button type="button" class="button" onClick={() => void send("phone:stop")}>
          {t("trial.stop")}
        </button>
      )}
      {idle && (
        <button
          type="button"
          class="button"
          aria-describedby="try-hint"
          onClick={() => void send("phone:try")}
        >
          {t("plan.try")}
        </button>
      )}
      {idle && (
        <p class="hint" id="try-hint">
          {t("plan.try_hint")}
        </p>
      )}
    </div>
  );
}
