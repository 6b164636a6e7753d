import { useState } from "preact/hooks";
import type { Way } from "../join/app";
import type { Snapshot } from "../protocol";
import { Heading } from "../ui/heading";
import { useWords } from "../words";
import { type ScreenProps, useApp } from "./context";
import { DeviceCheck } from "./device_check";

const LONGEST_NAME = 128; // what the server takes

/** Before joining: who, when, a look in the mirror, and the one button. */
export function Check({ state }: ScreenProps) {
  const { t, day } = useWords();
  const app = useApp();
  const view = state.view as Snapshot;
  const sends = view.me.may.includes("speak"); // observers only listen
  const [name, setName] = useState("");
  const promise = view.me.role === "provider" ? "check.promise_provider" : "check.promise";
  const join = (way: Way): void => void app.join(way, name.trim());
  return (
    <>
      <Heading>{view.host ? t("check.title_host", { host: view.host }) : t("check.title")}</Heading>
      <p class="lead when">{day(view.starts_at)}</p>
      <p>{t(promise)}</p>
      {view.me.another_device && <p class="note">{t("check.second_device")}</p>}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          join("full");
        }}
      >
        {view.me.name ? (
          <p>{t("check.as", { name: view.me.name })}</p>
        ) : (
          <NameField name={name} onName={setName} />
        )}
        {sends && <DeviceCheck state={state} />}
        <div class="ways">
          <button type="submit" class="button button-main button-big" disabled={state.joining}>
            {state.joining ? t("check.joining") : t("check.join")}
          </button>
          {sends && (
            <div class="row">
              <button type="button" class="button" onClick={() => join("sound")}>
                {t("check.sound_only")}
              </button>
              <button type="button" class="button" onClick={() => join("listen")}>
                {t("check.listen")}
              </button>
            </div>
          )}
        </div>
      </form>
    </>
  );
}

function NameField({ name, onName }: { name: string; onName: (name: string) => void }) {
  const { t } = useWords();
  return (
    <p class="field">
      <label for="name">{t("check.name")}</label>
      <input
        id="name"
        type="text"
        autocomplete="name"
        maxLength={LONGEST_NAME}
        value={name}
        onInput={(event) => onName(event.currentTarget.value)}
      />
    </p>
  );
}
