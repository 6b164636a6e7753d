import { troubleKey } from "../lib/trouble";
import { BANNER_AFTER } from "../timing";
import { useLasting } from "../ui/clock";
import { useWords } from "../words";

export interface ConnectionBannerProps {
  awayAt: number | null;
  mediaLostAt: number | null;
  /** The end of the number that will be called if the connection stays away. */
  callTail?: string;
}

/** A lost connection, said once and only when it lasts. It never stands in the way. */
export function ConnectionBanner({ awayAt, mediaLostAt, callTail = "" }: ConnectionBannerProps) {
  const { t } = useWords();
  const away = useLasting(awayAt, BANNER_AFTER);
  const media = useLasting(mediaLostAt, BANNER_AFTER);
  const lost = away ? t("banner.away") : media ? t("banner.media") : "";
  const call = lost && callTail ? t("banner.will_call", { tail: callTail }) : "";
  const text = [lost, call].filter(Boolean).join(" ");
  return (
    <div role="status" class={text ? "banner" : ""}>
      {text}
    </div>
  );
}

/** What the person just tried and what did not work. */
export function TroubleNote({ code }: { code: string | null }) {
  const { t } = useWords();
  return <div role="alert">{code && <p class="note note-warn">{t(troubleKey(code))}</p>}</div>;
}

/** Says news to screen readers. Words that come twice must differ by something to be said twice. */
export function Announcer({ news }: { news: string }) {
  return (
    <p role="status" class="unseen">
      {news}
    </p>
  );
}
