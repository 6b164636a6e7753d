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
}

function initials(name: string): string {
  const parts = name.split(/\s+/).filter(Boolean);
  return [parts[0], parts.length > 1 ? parts.at(-1) : ""]
    .map((part) => [...(part ?? "")][0])
    .join("");
}

/** One person in the visit: picture or initials, name, role, and what is off, in words. */
export function Tile({ name, detail, stream, muted, away = false, mine = false }: TileProps) {
  const { t } = useWords();
  const shown = name || t("list.unnamed");
  return (
    <li class={`tile ${mine ? "tile-mine" : ""} ${stream ? "" : "tile-dark"}`}>
      {stream ? (
        <Picture stream={stream} mirrored={mine} label={t("tile.picture", { name: shown })} />
      ) : (
        <div class="tile-blank">
          <span class="tile-initials" aria-hidden="true">
            {initials(name) || <Icon name="person" />}
          </span>
          <span class="tile-off">{t("tile.camera_off")}</span>
        </div>
      )}
      {away && <p class="tile-away">{t("tile.away")}</p>}
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
