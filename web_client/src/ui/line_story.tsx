import type { LineReport } from "../protocol";
import {
  isCallable,
  isHeardByBrowser,
  isLost,
  isOnPhone,
  type LineDeed,
  lineStory,
  type Reader,
} from "../state/lines";
import { SECOND_TICK } from "../timing";
import { useWords, type Words } from "../words";
import { useNow } from "./clock";

/** What staff order about one person's connection, whichever page they are at. */
export interface LineOrders {
  call: (number?: string) => void;
  perform: (deed: Exclude<LineDeed, "call">) => void;
  address: () => Promise<string | null>;
  /** The code of the refusal, or null. */
  record: (number: NumberWritten) => Promise<string | null>;
}

/** A number as staff write it down. */
export interface NumberWritten {
  id: string;
  number: string;
  label: string;
  contact: boolean;
  wording: string;
  language: string;
}

/** "0:45". */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** A few words for somebody's line in a list. */
export function lineFacts(report: LineReport | null, { t }: Words): string[] {
  if (!report) return [];
  return [
    report.trial ? t("line.trial") : "",
    isHeardByBrowser(report) ? t(`sound.${report.sound}`) : "",
    isOnPhone(report) ? t("line.on_phone") : "",
    report.joined && !report.voice_confirmed ? t("line.unconfirmed") : "",
  ];
}

export interface LineStoryProps {
  report: LineReport;
  reader: Reader;
  /** Seconds the server's clock is ahead of ours. */
  clockAhead: number;
}

/** What happens to somebody's connection, told as it happens; the passing of seconds is not news. */
export function LineStory({ report, reader, clockAhead }: LineStoryProps) {
  const { t } = useWords();
  const story = lineStory(report, reader);
  return (
    <div class="line-story">
      <p role="status">
        {story && <strong>{t(`line.${story.text}`)}</strong>}
        {story &&
          report.why &&
          isLost(report) &&
          ` ${t("line.last", { why: t(`failure.${report.why}`) })}`}
        {story && report.sound === "silent" && !report.page && ` ${t("line.page_closed")}`}
      </p>
      {story && <LineTimes report={report} clockAhead={clockAhead} />}
    </div>
  );
}

function LineTimes({ report, clockAhead }: Omit<LineStoryProps, "reader">) {
  const { t } = useWords();
  const now = useNow(clockAhead, SECOND_TICK);
  const { silent_since: gone, next_call_at: next, calls } = report;
  const byBrowser = report.state === "degraded" || report.state === "stuck";
  const times = [
    gone !== null && !isOnPhone(report) ? t("line.gone", { time: span(now - gone) }) : "",
    report.why && byBrowser && calls > 0 ? t("line.calls", { n: calls }) : "",
    next !== null && next > now && isCallable(report)
      ? t("line.next", { time: span(next - now) })
      : "",
  ].filter(Boolean);
  return times.length > 0 ? <p class="line-times">{times.join(" ")}</p> : null;
}
