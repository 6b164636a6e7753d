import { BANNER_AFTER } from "../timing";
import { useLasting } from "../ui/clock";
import { useWords, type WordKey } from "../words";

const TROUBLES: ReadonlySet<string> = new Set([
  "no_answer",
  "not_permitted",
  "not_waiting",
  "visit_not_open",
]);

/** A lost connection, said once and only when it lasts. It never stands in the way. */
export function ConnectionBanner({
  awayAt,
  mediaLostAt,
}: {
  awayAt: number | null;
  mediaLostAt: number | null;
}) {
  const { t } = useWords();
  const away = useLasting(awayAt, BANNER_AFTER);
  const media = useLasting(mediaLostAt, BANNER_AFTER);
  const text = away ? t("banner.away") : media ? t("banner.media") : "";
  return (
    <div role="status" class={text ? "banner" : ""}>
      {text}
    </div>
  );
}

/** What the person just tried and what did not work. */
export function TroubleNote({ code }: { code: string | null }) {
  const { t } = useWords();
  const key = (code && TROUBLES.has(code) ? `trouble.${code}` : "trouble.other") as WordKey;
  return <div role="alert">{code && <p class="note note-warn">{t(key)}</p>}</div>;
}

/** Says news to screen readers. Words that come twice must differ by something to be said twice. */
export function Announcer({ news }: { news: string }) {
  return (
    <p role="status" class="unseen">
      {news}
    </p>
  );
}
