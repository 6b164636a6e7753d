import { useId, useState } from "preact/hooks";
import { saveContact } from "../lib/contact";
import { troubleKey } from "../lib/trouble";
import type { Snapshot } from "../protocol";
import { looksLikePhone } from "../state/phone_plan";
import { useKeptFocus } from "../ui/keep_focus";
import { PhoneField } from "../ui/phone_field";
import { useWords } from "../words";
import { type ScreenProps, useApp } from "./context";
import { TryPhone } from "./try_phone";

export interface PlanFormProps extends ScreenProps {
  onSkip?: (() => void) | undefined;
  onDone: () => void;
}

/** Asks whom to call if the video fails. A number that the practice has is asked about, not typed. */
export function PlanForm({ state, onSkip, onDone }: PlanFormProps) {
  const { t } = useWords();
  const app = useApp();
  const id = useId();
  const { line } = (state.view as Snapshot).me;
  const [typing, setTyping] = useState(line.number === "");
  const [number, setNumber] = useState("");
  const [same, setSame] = useState(line.same_device || looksLikePhone(navigator.userAgent));
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (typing && !number.trim()) return setProblem("number_invalid");
    setBusy(true);
    const answer = await app.agree(typing ? number.trim() : "", same);
    setBusy(false);
    if ("error" in answer) setProblem(answer.error.code);
    else onDone();
  };
  return (
    <form onSubmit={submit} noValidate>
      {typing ? (
        <PhoneField
          label={t("plan.number")}
          hint={t("plan.private")}
          own
          value={number}
          onValue={(value) => {
            setNumber(value);
            setProblem("");
          }}
          problem={problem && t(troubleKey(problem))}
        />
      ) : (
        <>
          <p class="lead">{t("plan.known", { tail: line.number })}</p>
          <p>
            <button type="button" class="link link-flush" onClick={() => setTyping(true)}>
              {t("plan.other")}
            </button>
          </p>
          <p role="alert" class="field-problem">
            {problem && t(troubleKey(problem))}
          </p>
        </>
      )}
      <label class="tick" for={`${id}-same`}>
        <input
          id={`${id}-same`}
          type="checkbox"
          checked={same}
          onChange={(event) => setSame(event.currentTarget.checked)}
        />
        <span>{t("plan.same")}</span>
      </label>
      <p class="hint" id={`${id}-consent`}>
        {t("plan.consent")}
      </p>
      <div class="row">
        <button
          type="submit"
          class="button button-main"
          disabled={busy}
          aria-describedby={`${id}-consent`}
        >
          {t("plan.yes")}
        </button>
        {onSkip && (
          <button type="button" class="button" onClick={onSkip}>
            {t("plan.skip")}
          </button>
        )}
      </div>
    </form>
  );
}

/** What was agreed, how to try it, and how to change one's mind. */
export function PlanDone({ state, onChange }: ScreenProps & { onChange: () => void }) {
  const { t } = useWords();
  const { me, practice } = state.view as Snapshot;
  return (
    <>
      <p class="lead">{t("plan.done", { tail: me.line.number })}</p>
      <TryPhone state={state} />
      {practice.phone && (
        <>
          <button type="button" class="button" onClick={() => saveContact(practice)}>
            {t("plan.save_contact")}
          </button>
          <p class="hint">{t("plan.save_contact_hint")}</p>
        </>
      )}
      <button type="button" class="button" onClick={onChange}>
        {t("plan.change")}
      </button>
    </>
  );
}

/** The question in the waiting room: it can be put off, and nobody loses their place over it. */
export function PlanCard({ state }: ScreenProps) {
  const { t } = useWords();
  const app = useApp();
  const { line } = (state.view as Snapshot).me;
  const asking = state.plan === "asked";
  const box = useKeptFocus<HTMLElement>();
  const title = asking ? t("plan.title") : t("plan.done_title");
  return (
    <section class="panel plan" aria-labelledby="plan-title" ref={box}>
      <h2 id="plan-title">{title}</h2>
      {asking && <p>{t("plan.why")}</p>}
      {asking && (
        <PlanForm
          state={state}
          onSkip={() => app.plan("skipped")}
          onDone={() => app.plan("settled")}
        />
      )}
      {!asking && line.agreed && <PlanDone state={state} onChange={() => app.plan("asked")} />}
      {!asking && !line.agreed && (
        <>
          <p>{t("plan.none")}</p>
          <button type="button" class="button" onClick={() => app.plan("asked")}>
            {t("plan.set")}
          </button>
        </>
      )}
    </section>
  );
}
