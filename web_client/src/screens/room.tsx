import { useMemo } from "preact/hooks";
import { VOICE_SUFFIX } from "../media/peers";
import type { Person, Snapshot } from "../protocol";
import { isSent } from "../state/join";
import { Heading } from "../ui/heading";
import { useKeptFocus } from "../ui/keep_focus";
import { Sound } from "../ui/picture";
import { Tile } from "../ui/tile";
import { useWords } from "../words";
import { type ScreenProps, useApp } from "./context";
import { Controls } from "./controls";
import { DeviceHelp } from "./device_help";
import { LinesPanel } from "./lines_panel";
import { PeoplePanel } from "./people_panel";
import { WaitingList } from "./waiting_list";

/** Inside the visit: everybody's picture and name, the controls, and who else there is. */
export function Room({ state }: ScreenProps) {
  const { t } = useWords();
  const view = state.view as Snapshot;
  const box = useKeptFocus<HTMLDivElement>();
  const title = view.host ? t("visit.title_host", { host: view.host }) : t("visit.title");
  return (
    <>
      <Heading quiet>{title}</Heading>
      <div class={view.me.may.includes("admit") ? "room room-staff" : "room"} ref={box}>
        <div class="room-side room-urgent">
          <LinesPanel state={state} />
          <WaitingList state={state} />
        </div>
        <div class="stage">
          <TapToHear state={state} />
          <Grid state={state} />
        </div>
        <div class="room-side">
          <PeoplePanel state={state} />
        </div>
      </div>
      <DeviceHelp state={state} />
      <Controls state={state} />
    </>
  );
}

function Grid({ state }: ScreenProps) {
  const { t } = useWords();
  const view = state.view as Snapshot;
  return (
    <>
      {view.people.length === 0 && (
        <div class="alone">
          <p class="lead">{t("visit.alone")}</p>
          <p>{t("visit.wait_for_others")}</p>
        </div>
      )}
      <ul class="grid" data-count={view.people.length} aria-label={t("visit.people")}>
        {view.people.map((person) => (
          <Other key={person.seat} person={person} state={state} />
        ))}
        <Mine state={state} />
      </ul>
    </>
  );
}

function Other({ person, state }: ScreenProps & { person: Person }) {
  const { t } = useWords();
  const app = useApp();
  const stream = state.streams.get(person.seat) ?? null;
  const away = person.admission === "away";
  const tracks = stream?.getTracks().length ?? 0;
  const picture = useMemo(() => kindOf(stream, "video"), [stream, tracks]);
  const sound = useMemo(() => kindOf(stream, "audio"), [stream, tracks]);
  const voice = state.streams.get(person.seat + VOICE_SUFFIX);
  return (
    <>
      <Tile
        name={person.name}
        detail={person.relationship || t(`role.${person.role}`)}
        stream={person.camera ? picture : null}
        muted={!person.microphone}
        away={away}
        way={person.way}
        still={rests(state.view as Snapshot) ? t("tile.paused") : ""}
      />
      {sound && <Sound stream={sound} onRefused={() => app.soundRefused()} />}
      {voice && <Sound stream={voice} onRefused={() => app.soundRefused()} />}
    </>
  );
}

/** While one's own connection is bad, everybody's picture stands still here. */
function rests({ me }: Snapshot): boolean {
  return me.line.state !== "good" && me.line.state !== "recovering" && !me.line.trial;
}

function kindOf(stream: MediaStream | null, kind: "audio" | "video"): MediaStream | null {
  const tracks = stream?.getTracks().filter((track) => track.kind === kind) ?? [];
  return tracks.length > 0 ? new MediaStream(tracks) : null;
}

function Mine({ state }: ScreenProps) {
  const { t } = useWords();
  const app = useApp();
  const { me } = state.view as Snapshot;
  const { camera } = state.devices;
  const track = camera.status === "on" && camera.wanted ? app.media.track("camera") : null;
  const stream = useMemo(() => (track ? new MediaStream([track]) : null), [track]);
  return (
    <Tile
      mine
      name={t("tile.you")}
      detail={t(`role.${me.role}`)}
      stream={stream}
      muted={!isSent(state, "microphone")}
    />
  );
}

function TapToHear({ state }: ScreenProps) {
  const { t } = useWords();
  const app = useApp();
  if (state.soundAllowed) return null;
  return (
    <div class="note tap" role="alert">
      <p>{t("sound.body")}</p>
      <button type="button" class="button button-main" onClick={() => app.allowSound()}>
        {t("sound.tap")}
      </button>
    </div>
  );
}
