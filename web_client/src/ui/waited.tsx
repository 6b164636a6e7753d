import { useWords } from "../words";

const MINUTE = 60;

/** Since when somebody waits, as a clock time and in words. */
export function Waited({ since, now }: { since: number | null; now: number }) {
  const { t, clock } = useWords();
  if (since === null) return null;
  const minutes = Math.max(0, Math.floor((now - since) / MINUTE));
  return (
    <span class="waited">
      {t("waiting.since", { clock: clock(since) })} (
      {minutes === 0 ? t("waiting.now") : t("waiting.minutes", { n: minutes })})
    </span>
  );
}
