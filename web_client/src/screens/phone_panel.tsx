import { useState } from "preact/hooks";
import type { Snapshot } from "../protocol";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { useKeptFocus } from "../ui/keep_focus";
import { useWords } from "../words";
import { type ScreenProps, useApp } from "./context";
import { PlanDone, PlanForm } from "./phone_plan";

/** The way to one's own phone plan, during the visit. */
export function PhoneButton({ state }: ScreenProps) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="control" onClick={() => setOpen(true)}>
        <Icon name="phone" />
        <span>{t("control.phone")}</span>
      </button>
      {open && <PhonePanel state={state} onClose={() => setOpen(false)} />}
    </>
  );
}

/** One's own phone: whom to call, try it, change it, take it back, or go over to it now. */
export function PhonePanel({ state, onClose }: ScreenProps & { onClose: () => void }) {
  const { t } = useWords();
  const { line } = (state.view as Snapshot).me;
  const [changing, setChanging] = useState(!line.agreed);
  const box = useKeptFocus<HTMLDivElement>();
  return (
    <Dialog title={changing ? t("plan.title") : t("phone.title")} onClose={onClose}>
      <div ref={box}>
        {changing ? (
          <PlanForm
            state={state}
            onSkip={line.agreed ? () => setChanging(false) : undefined}
            onDone={() => setChanging(false)}
          />
        ) : (
          <>
            <PlanDone state={state} onChange={() => setChanging(true)} />
            <Instead state={state} onClose={onClose} />
          </>
        )}
      </div>
      <div class="row dialog-end">
        <button type="button" class="button" onClick={onClose}>
          {t("phone.close")}
        </button>
      </div>
    </Dialog>
  );
}

function Instead({ state, onClose }: ScreenProps & { onClose: () => void }) {
  const { t } = useWords();
  const app = useApp();
  const { line } = (state.view as Snapshot).me;
  const idle = line.state === "good" || line.state === "degraded" || line.state === "stuck";
  const perform = (name: "phone:call_me" | "phone:withdraw"): void => {
    onClose();
    void app.attempt(name, {});
  };
  return (
    <div class="instead">
      {idle && line.agreed && (
        <>
          <button type="button" class="button" onClick={() => perform("phone:call_me")}>
            {t("phone.call_me")}
          </button>
          <p class="hint">{t("phone.call_me_hint")}</p>
        </>
      )}
      {line.agreed && (
        <button type="button" class="button" onClick={() => perform("phone:withdraw")}>
          {t("phone.withdraw")}
        </button>
      )}
    </div>
  );
}
