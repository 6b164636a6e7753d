import { type Devices, type DeviceTrouble, isTrouble, type Kind } from "../state/devices";
import { isUnderWay } from "../state/join";
import { isInCall } from "../state/own_line";
import { useWords, type WordKey } from "../words";
import { type ScreenProps, useApp } from "./context";

const KINDS: readonly Kind[] = ["microphone", "camera"];

interface Trouble {
  whose: "both" | Kind;
  trouble: DeviceTrouble;
  kinds: readonly Kind[];
}

function troubles(devices: Devices): Trouble[] {
  const found = KINDS.flatMap((kind): Trouble[] => {
    const { status, wanted } = devices[kind];
    return wanted && isTrouble(status) ? [{ whose: kind, trouble: status, kinds: [kind] }] : [];
  });
  const [first, second] = found;
  if (first && second && first.trouble === second.trouble) {
    return [{ whose: "both", trouble: first.trouble, kinds: KINDS }];
  }
  return found;
}

function stepsKey(trouble: DeviceTrouble): WordKey {
  if (trouble !== "refused") return `help.${trouble}`;
  if (/iPhone|iPad|Macintosh.*Mobile/.test(navigator.userAgent)) return "help.refused.apple";
  if (/Android/.test(navigator.userAgent)) return "help.refused.android";
  return "help.refused.computer";
}

/** A wanted device that does not work: what is wrong, what to do, and that joining goes on. */
export function DeviceHelp({ state }: ScreenProps) {
  const { t } = useWords();
  const app = useApp();
  const found = troubles(state.devices).filter(
    ({ whose }) => whose === "camera" || !state.view || !isInCall(state.view.me.line),
  );
  return (
    <div role="status">
      {found.map(({ whose, trouble, kinds }) => (
        <div class="note note-warn" key={whose}>
          <p>
            <strong>{t(`device.${whose}.${trouble}`)}</strong>
          </p>
          <p>
            {t(stepsKey(trouble))} {t("help.then")}
          </p>
          <button
            type="button"
            class="button button-small"
            onClick={() => void app.askDevices(kinds)}
          >
            {t("check.retry")}
          </button>
        </div>
      ))}
      {found.length > 0 && state.view && !isUnderWay(state.view) && <p>{t("device.anyway")}</p>}
    </div>
  );
}
