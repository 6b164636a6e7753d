import { useState } from "preact/hooks";
import type { Invited, Person as PersonInside, Snapshot } from "../protocol";
import { needsAttention } from "../state/lines";
import { Question } from "../ui/dialog";
import { type Deed, Person } from "../ui/person";
import { Reach } from "../ui/reach";
import { useWords } from "../words";
import { type ScreenProps, useApp } from "./context";
import { Inside } from "./inside";
import { Invite } from "./invite";
import { lineOrders } from "./line_orders";

/** Who is in the visit and who else is invited, for those who may do something about it. */
export function PeoplePanel({ state }: ScreenProps) {
  const { t } = useWords();
  const view = state.view as Snapshot;
  const may = new Set(view.me.may);
  const family = view.people.filter((person) => person.role === "family");
  const listed = may.has("remove") ? view.people : may.has("object") ? family : [];
  const inside = listed.filter(isCalm);
  const others = view.seats.filter(({ seat }) => isElsewhere(seat, view));
  if (inside.length === 0 && !may.has("invite") && !may.has("end")) return null;
  return (
    <section class="panel" aria-labelledby="people-title">
      {inside.length > 0 && <h2 id="people-title">{t("list.inside")}</h2>}
      {inside.length > 0 && (
        <ul class="plain">
          {inside.map((person) => (
            <Inside key={person.seat} person={person} state={state} />
          ))}
        </ul>
      )}
      {others.length > 0 && <h2>{t("list.invited")}</h2>}
      {others.length > 0 && (
        <ul class="plain">
          {others.map((seat) => (
            <Elsewhere key={seat.seat} seat={seat} view={view} />
          ))}
        </ul>
      )}
      <div class="row">
        {may.has("invite") && <Invite practice={view.practice.name} />}
        {may.has("end") && <EndVisit />}
      </div>
    </section>
  );
}

/** Whoever needs attention is shown above, with everything that may be done about them. */
function isCalm({ line }: PersonInside): boolean {
  return !line || !needsAttention(line);
}

function isElsewhere(seat: string, view: Snapshot): boolean {
  const shown = [view.me, ...view.people, ...view.waiting.filter((w) => !w.another_device)];
  return !shown.some((person) => person.seat === seat);
}

function Elsewhere({ seat: invited, view }: { seat: Invited; view: Snapshot }) {
  const may = new Set(view.me.may);
  const { seat, name, role, relationship, admission, line } = invited;
  const { t } = useWords();
  const app = useApp();
  const barred = admission === "denied" || admission === "removed";
  const letBack: Deed = {
    label: t("action.let_back"),
    run: () => void app.attempt("seat:let_back", { seat }),
  };
  return (
    <Person
      name={name}
      facts={[relationship || t(`role.${role}`), t(`admission.${admission}`)]}
      deeds={barred && may.has("let_back") ? [letBack] : []}
      about={
        !barred &&
        may.has("call") &&
        view.calls_people && (
          <Reach name={name} report={line} orders={lineOrders(app, seat)} inside={false} />
        )
      }
    />
  );
}

function EndVisit() {
  const { t } = useWords();
  const app = useApp();
  const [asking, setAsking] = useState(false);
  const end = (): void => {
    setAsking(false);
    void app.attempt("visit:end", {});
  };
  return (
    <>
      <button type="button" class="button button-danger" onClick={() => setAsking(true)}>
        {t("end.open")}
      </button>
      {asking && (
        <Question
          title={t("end.title")}
          body={t("end.body")}
          yes={t("end.yes")}
          no={t("end.no")}
          onYes={end}
          onNo={() => setAsking(false)}
        />
      )}
    </>
  );
}
