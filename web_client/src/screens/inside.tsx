import type { Person as PersonInside, Snapshot } from "../protocol";
import { LineStory, lineDeeds, lineFacts } from "../ui/line_story";
import { type Deed, Person } from "../ui/person";
import { Reach } from "../ui/reach";
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
  const reader = readerOf(view);
  const orders = lineOrders(app, seat);
  const mayCall = view.me.may.includes("call");
  return (
    <Person
      name={name}
      facts={[...factsOf(person, words), ...lineFacts(line, words)]}
      deeds={[
        ...(mayCall ? lineDeeds(line, reader, orders, name, words) : []),
        ...useDoorDeeds(person, new Set(view.me.may)),
      ]}
      about={line && <LineStory report={line} reader={reader} clockAhead={state.clockAhead} />}
      more={line && mayCall && <Reach name={name} report={line} orders={orders} inside />}
    />
  );
}

function factsOf({ relationship, role, admission, way }: PersonInside, { t }: Words): string[] {
  return [
    relationship || t(`role.${role}`),
    way === "phone" ? t("way.phone") : t(`admission.${admission}`),
  ];
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
