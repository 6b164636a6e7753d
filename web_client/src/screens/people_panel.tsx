import { useState } from "preact/hooks";
import type { Invited, Person as PersonInside, Snapshot } from "../protocol";
import { Question } from "../ui/dialog";
import { type Deed, Person } from "../ui/person";
import { useWords } from "../words";
import { type ScreenProps, useApp } from "./context";
import { Invite } from "./invite";

/** Who is in the visit and who else is invited, for those who may do something about it. */
export function PeoplePanel({ state }: ScreenProps) {
  const { t } = useWords();
  const view = state.view as Snapshot;
  const may = new Set(view.me.may);
  const family = view.people.filter((person) => person.role === "family");
  const inside = may.has("remove") ? view.people : may.has("object") ? family : [];
  const others = view.seats.filter(({ seat }) => isElsewhere(seat, view));
  if (inside.length === 0 && !may.has("invite") && !may.has("end")) return null;
  return (
    <section class="panel" aria-labelledby="people-title">
      {inside.length > 0 && <h2 id="people-title">{t("list.inside")}</h2>}
      {inside.length > 0 && (
        <ul class="plain">
          {inside.map((person) => (
            <Inside key={person.seat} person={person} may={may} />
          ))}
        </ul>
      )}
      {others.length > 0 && <h2>{t("list.invited")}</h2>}
      {others.length > 0 && (
        <ul class="plain">
          {others.map((seat) => (
            <Elsewhere key={seat.seat} seat={seat} may={may} />
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

function isElsewhere(seat: string, view: Snapshot): boolean {
  const shown = [view.me, ...view.people, ...view.waiting.filter((w) => !w.another_device)];
  return !shown.some((person) => person.seat === seat);
}

interface InsideProps {
  person: PersonInside;
  may: ReadonlySet<string>;
}

function Inside({ person, may }: InsideProps) {
  const { t } = useWords();
  const app = useApp();
  const { seat } = person;
  const deeds: Deed[] = [];
  if (may.has("send_back") && person.role !== "provider") {
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
  if (may.has("object") && person.role === "family") {
    deeds.push({ label: t("action.object"), run: () => void app.attempt("seat:object", { seat }) });
  }
  const facts = [
    person.relationship || t(`role.${person.role}`),
    t(`admission.${person.admission}`),
  ];
  return <Person name={person.name} facts={facts} deeds={deeds} />;
}

function Elsewhere({
  seat: { seat, name, role, relationship, admission },
  may,
}: {
  seat: Invited;
  may: ReadonlySet<string>;
}) {
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
