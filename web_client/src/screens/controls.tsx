import { useState } from "preact/hooks";
import type { Kind } from "../state/devices";
import { isSent } from "../state/join";
import { Question } from "../ui/dialog";
import { Icon, type IconName } from "../ui/icon";
import { useWords, type WordKey } from "../words";
import { type ScreenProps, useApp } from "./context";
import { PhoneButton } from "./phone_panel";

const FACES: Record<Kind, { on: [WordKey, IconName]; off: [WordKey, IconName] }> = {
  microphone: {
    on: ["control.mute", "microphone"],
    off: ["control.unmute", "microphoneOff"],
  },
  camera: {
    on: ["control.camera_off", "camera"],
    off: ["control.camera_on", "cameraOff"],
  },
};

/** Microphone, camera, way out: always at the bottom of the screen, in this order. */
export function Controls({ state }: ScreenProps) {
  const { t } = useWords();
  const may = state.view?.me.may ?? [];
  return (
    <section class="controls" aria-label={t("visit.controls")}>
      <div class="controls-row">
        {may.includes("speak") && <Switch kind="microphone" state={state} />}
        {may.includes("show") && <Switch kind="camera" state={state} />}
        {state.view?.me.inside && state.view.calls_people && <PhoneButton state={state} />}
        <LeaveButton />
      </div>
    </section>
  );
}

function Switch({ kind, state }: ScreenProps & { kind: Kind }) {
  const { t } = useWords();
  const app = useApp();
  const live = isSent(state, kind);
  const [label, icon] = live ? FACES[kind].on : FACES[kind].off;
  return (
    <button
      type="button"
      class={live ? "control" : "control control-off"}
      aria-busy={state.devices[kind].status === "asking"}
      onClick={() => app.toggle(kind)}
    >
      <Icon name={icon} />
      <span>{t(label)}</span>
    </button>
  );
}

function LeaveButton() {
  const { t } = useWords();
  const app = useApp();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <button type="button" class="control control-leave" onClick={() => setAsking(true)}>
        <Icon name="leave" />
        <span>{t("control.leave")}</span>
      </button>
      {asking && (
        <Question
          title={t("leave.title")}
          body={t("leave.body")}
          yes={t("leave.yes")}
          no={t("leave.no")}
          onYes={() => app.leave()}
          onNo={() => setAsking(false)}
        />
      )}
    </>
  );
}
