import { useState } from "preact/hooks";
import type { Way } from "../protocol";
import { useWords } from "../words";
import { Icon } from "./icon";
import { Picture } from "./picture";

export interface TileProps {
  name: string;
  detail: string;
  stream: MediaStream | null;
  muted: boolean;
  away?: boolean;
  mine?: boolean;
  way?: Way;
  /** What to say of a picture that stands still, if it may. */
  still?: string;
}

function initials(name: string): string {
  const parts = name.split(/\s+/).filter(Boolean);
  return [parts[0], parts.length > 1 ? parts.at(-1) : ""]
    .map((part) => [...(part ?? "")][0])
    .join("");
}

/**
 * One person in the visit: picture or initials, name, role, and what is off, in words. Somebody on
 * the telephone has a handset for a picture, until pictures of them come again.
 */
export function Tile(props: TileProps) {
  const { name, detail, stream, muted, away = false, mine = false } = props;
  const { way = "browser", still = "" } = props;
  const { t } = useWords();
  const [moving, setMoving] = useState(false);
  const shown = name || t("list.unnamed");
  const byPhone = way === "calling" || way === "joining" || way === "phone";
  const dark = !stream || (byPhone && !moving);
  const gone = away && !byPhone;
  const state = way === "browser" ? "" : t(`way.${way}`);
  const top = dark ? "" : state || (moving ? "" : still);
  return (
    <li class={`tile ${mine ? "tile-mine" : ""} ${dark ? "tile-dark" : ""}`}>
      {stream && (
        <Picture
          stream={stream}
          mirrored={mine}
          label={t("tile.picture", { name: shown })}
          onMoving={byPhone || still ? setMoving : undefined}
        />
      )}
      {dark && (
        <div class="tile-blank">
          <span class="tile-initials" aria-hidden="true">
            {byPhone ? <Icon name="phone" /> : initials(name) || <Icon name="person" />}
          </span>
          <span class="tile-off">{state || t("tile.camera_off")}</span>
        </div>
      )}
      {(gone || top) && <p class="tile-away">{gone ? t("tile.away") : top}</p>}
      <p class="tile-tag">
        <span class="tile-name">{shown}</span>
        {detail && <span class="tile-role">{detail}</span>}
        {muted && (
          <span class="tile-muted">
            <Icon name="microphoneOff" />
            {t("tile.muted")}
          </span>
        )}
      </p>
    </li>
  );
}
