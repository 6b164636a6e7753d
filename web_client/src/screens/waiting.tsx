import type { Snapshot } from "../protocol";
import { useNow } from "../ui/clock";
import { Heading } from "../ui/heading";
import { Waited } from "../ui/waited";
import { useWords } from "../words";
import { type ScreenProps, useApp } from "./context";
import { Controls } from "./controls";
import { Preview } from "./device_check";
import { DeviceHelp } from "./device_help";
import { PlanCard } from "./phone_plan";

/** The waiting room: you are right here, since when, and what the clinic has to say. */
export function WaitingRoom({ state }: ScreenProps) {
  const { t, day } = useWords();
  const app = useApp();
  const now = useNow(state.clockAhead);
  const view = state.view as Snapshot;
  const { me } = view;
  const second = me.standing === "waiting";
  return (
    <>
      <Heading>{t("waiting.title")}</Heading>
      <p class="lead">
        {view.host ? t("waiting.body_host", { host: view.host }) : t("waiting.body")}
      </p>
      {second && <p class="note">{t("waiting.second_device")}</p>}
      <p class="since">
        <Waited since={me.waiting_since} now={now} />
      </p>
      {!second && view.calls_people && <PlanCard state={state} />}
      <p class="hint">{t("waiting.appointment", { day: day(view.starts_at) })}</p>
      <Notices view={view} />
      <p>{t("waiting.keep")}</p>
      <section class="devices" aria-label={t("check.devices")}>
        <p class="hint">{t("waiting.private")}</p>
        <DeviceHelp state={state} />
        <Preview track={state.devices.camera.status === "on" ? app.media.track("camera") : null} />
      </section>
      <Controls state={state} />
    </>
  );
}

function Notices({ view }: { view: Snapshot }) {
  const { t, clock } = useWords();
  const notices = [...view.me.notices].reverse();
  return (
    <section class="notices" aria-labelledby="notices-title">
      <h2 id="notices-title">{t("waiting.messages")}</h2>
      {notices.length === 0 && <p class="hint">{t("waiting.no_messages")}</p>}
      <ul class="plain">
        {notices.map((notice) => (
          <li key={notice.id} class="notice">
            <p>{notice.text}</p>
            <p class="hint">{clock(notice.at)}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}
