import type { Person as PersonInside, Snapshot } from "../protocol";
import { LineBox } from "../ui/line_box";
import { LineStory, lineFacts } from "../ui/line_story";
import { type Deed, Person } from "../ui/person";
import { useWords, type Words } from "../words";
import { type ScreenProps, useApp } from "./context";
import { lineOrders, readerOf } from "./line_orders";

interface InsideProps extends ScreenProps {
  person: PersonInside;
}

/** Somebody who is in the visit: how they are connected, and what may be done about them. */
export function Inside({ person, state }: InsideProps) {
  const words = useWords();
  const app = useApp();
  const view = state.view as Snapshot;
  const { seat, name, line } = person;
  const may = new Set(view.me.may);
  const story = line && { report: line, reader: readerOf(view), clockAhead: state.clockAhead };
  return (
    <Person
      name={name}
      facts={[...factsOf(person, words), ...lineFacts(line, words)]}
      deeds={useDoorDeeds(person, may)}
      about={
        story &&
        (may.has("call") && view.calls_people ? (
          <LineBox {...story} name={name} orders={lineOrders(app, seat)} inside />
        ) : (
          <LineStory {...story} />
        ))
      }
    />
  );
}

/** Of somebody whose connection fails, that they are in the visit would be half the truth. */
function factsOf({ relationship, role, admission, way }: PersonInside, { t }: Words): string[] {
  return [relationship || t(`role.${role}`), way === "browser" ? t(`admission.${admission}`) : ""];
}

function useDoorDeeds({ seat, role }: PersonInside, may: ReadonlySet<string>): Deed[] {
  const { t } = useWords();
  const app = useApp();
  const deeds: Deed[] = [];
  if (may.has("send_back") && role !== "provider") {
    deeds.push({
      label: t("action.send_back"),
      run: () => void app.attempt("seat:send_back", { seat }),
    });
  }
  if (may.has("remove")) {
    deeds.push({
      label: t("action.remove"),
      look: "danger",
      run: () => void app.attempt("seat:remove", { seat }),
    });
  }
  if (may.has("object") && role === "family") {
    deeds.push({ label: t("action.object"), run: () => void app.attempt("seat:object", { seat }) });
  }
  return deeds;
}
