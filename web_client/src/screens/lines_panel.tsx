import type { Snapshot } from "../protocol";
import { needsAttention } from "../state/lines";
import { useWords } from "../words";
import type { ScreenProps } from "./context";
import { Inside } from "./inside";

/** Whose connection needs somebody's attention, above everything else; everybody else is below. */
export function LinesPanel({ state }: ScreenProps) {
  const { t } = useWords();
  const { people } = state.view as Snapshot;
  const troubled = people.filter(({ line }) => line && needsAttention(line));
  if (troubled.length === 0) return null;
  return (
    <section class="panel panel-lines" aria-labelledby="lines-title">
      <h2 id="lines-title">{t("lines.title")}</h2>
      <ul class="plain">
        {troubled.map((person) => (
          <Inside key={person.seat} person={person} state={state} />
        ))}
      </ul>
    </section>
  );
}
