import type { PracticeCard, Problem } from "../protocol";
import type { ClosedCode } from "../state/join";
import { callWords, telephone } from "../ui/call_link";
import { Heading } from "../ui/heading";
import { useWords, type WordKey } from "../words";

type Page = "title" | "body";
type Known =
  Extract<WordKey, `closed.${string}.title`> extends `closed.${infer Code}.title` ? Code : never;

const KNOWN: ReadonlySet<string> = new Set<Known>([
  "link_unknown",
  "visit_early",
  "visit_moved",
  "visit_cancelled",
  "visit_ended",
  "visit_expired",
  "seat_denied",
  "seat_removed",
  "device_refused",
  "device_replaced",
  "session_replaced",
  "too_many_devices",
  "rate_limited",
  "left",
]);

const FINAL: ReadonlySet<ClosedCode> = new Set(["visit_cancelled", "visit_ended", "visit_expired"]);

/** The heading of the page for this code. */
export function closedTitle(code: ClosedCode): WordKey {
  return wordKey(code, "title");
}

function wordKey(code: ClosedCode, page: Page): WordKey {
  return `closed.${KNOWN.has(code) ? (code as Known) : "other"}.${page}`;
}

function buttonKey(code: ClosedCode): WordKey {
  if (code === "left") return "closed.rejoin";
  if (code === "session_replaced") return "closed.here";
  return "closed.again";
}

export interface ClosedProps {
  code: ClosedCode;
  practice: PracticeCard;
  problem: Problem | null;
  onAgain: () => void;
}

/** Why the page goes no further, what to do now, and whom to call. */
export function Closed({ code, practice, problem, onAgain }: ClosedProps) {
  const { t, when, day } = useWords();
  const opens = problem?.opens_at === undefined ? "" : when(problem.opens_at, Date.now() / 1000);
  return (
    <>
      <Heading>{t(closedTitle(code))}</Heading>
      <p class="lead">{t(wordKey(code, "body"), { opens })}</p>
      {problem?.starts_at !== undefined && (
        <p>
          {problem.host
            ? t("closed.when_host", { host: problem.host, day: day(problem.starts_at) })
            : t("closed.when", { day: day(problem.starts_at) })}
        </p>
      )}
      <p class="row">
        {!FINAL.has(code) && (
          <button type="button" class="button button-main" onClick={onAgain}>
            {t(buttonKey(code))}
          </button>
        )}
        {practice.phone && (
          <a class="button" href={telephone(practice.phone)}>
            {callWords(practice, t)}
          </a>
        )}
      </p>
    </>
  );
}
