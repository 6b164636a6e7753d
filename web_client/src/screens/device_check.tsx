import { useEffect, useMemo, useState } from "preact/hooks";
import { watchLevel } from "../media/level";
import type { Kind } from "../state/devices";
import { Icon } from "../ui/icon";
import { Picture } from "../ui/picture";
import { useWords, type WordKey } from "../words";
import { type ScreenProps, useApp } from "./context";
import { DeviceHelp } from "./device_help";

const KINDS: readonly Kind[] = ["microphone", "camera"];

function askKey(idle: readonly Kind[]): WordKey {
  return idle.length === 1 ? `check.ask_${idle[0] as Kind}` : "check.ask";
}

/** Camera preview, microphone in words, and plain help where one of them does not work. */
export function DeviceCheck({ state }: ScreenProps) {
  const { t } = useWords();
  const app = useApp();
  const { devices } = state;
  const microphone = devices.microphone.status === "on" ? app.media.track("microphone") : null;
  const asking = KINDS.some((kind) => devices[kind].status === "asking");
  const idle = KINDS.filter((kind) => ["unasked", "off"].includes(devices[kind].status));
  return (
    <section class="devices" aria-labelledby="devices-title">
      <h2 id="devices-title">{t("check.devices")}</h2>
      <Preview track={devices.camera.status === "on" ? app.media.track("camera") : null} />
      {microphone && <Level key={microphone.id} track={microphone} />}
      <p role="status" class={asking ? "note" : ""}>
        {asking && t("check.asking")}
      </p>
      {!asking && idle.length > 0 && (
        <div class="ask">
          <p>{t("check.ask_body")}</p>
          <button type="button" class="button" onClick={() => void app.askDevices(idle)}>
            {t(askKey(idle))}
          </button>
        </div>
      )}
      <DeviceHelp state={state} />
    </section>
  );
}

/** The person's own picture, as a mirror shows it. */
export function Preview({ track }: { track: MediaStreamTrack | null }) {
  const { t } = useWords();
  const stream = useMemo(() => (track ? new MediaStream([track]) : null), [track]);
  if (!stream) return null;
  return (
    <figure class="preview">
      <Picture stream={stream} mirrored label={t("check.preview")} />
      <figcaption>{t("check.preview")}</figcaption>
    </figure>
  );
}

function Level({ track }: { track: MediaStreamTrack }) {
  const { t } = useWords();
  const [heard, setHeard] = useState<boolean | null>(null);
  const words = heard === null ? "microphone.on" : heard ? "microphone.heard" : "microphone.quiet";
  const [level, setLevel] = useState(0);
  useEffect(
    () =>
      watchLevel(track, (now, loudness) => {
        setHeard(now);
        setLevel(loudness);
      }),
    [track],
  );
  return (
    <p class="level">
      <Icon name="microphone" />
      <span>{t(words)}</span>
      <meter min={0} max={1} value={level} aria-label={t("microphone.level")} />
    </p>
  );
}
