import type { DeskSeat, DeskVisit, Stage, Waiting } from "../protocol";
import { admitLabel, waitingFacts } from "../screens/waiting_list";
import { arrivalKey } from "../state/arrivals";
import type { DeskState } from "../state/desk";
import { useNow } from "../ui/clock";
import { LineBox } from "../ui/line_box";
import { lineFacts } from "../ui/line_story";
import { type Deed, Person } from "../ui/person";
import { Waited } from "../ui/waited";
import { useWords } from "../words";
import type { DeskApp } from "./app";
import { AT_DESK, deskLineOrders } from "./line_orders";

const RUNNING: Stage[] = ["open", "in_progress", "interrupted"];

export interface DeskVisitProps {
  visit: DeskVisit;
  state: DeskState;
  app: DeskApp;
}

/** One visit: when, how far it is, who waits, who is in it. */
export function DeskVisitCard({ visit, state, app }: DeskVisitProps) {
  const { t, clock } = useWords();
  const waitingSeats = new Set(visit.waiting.filter((w) => !w.another_device).map((w) => w.seat));
  const others = visit.seats.filter((seat) => !waitingSeats.has(seat.seat));
  const host = visit.host || t("desk.no_host");
  return (
    <section
      class={visit.waiting.length > 0 ? "panel panel-waiting" : "panel"}
      aria-labelledby={`visit-${visit.visit}`}
    >
      <div class="desk-head">
        <h2 id={`visit-${visit.visit}`}>
          {clock(visit.starts_at)} · {host}
        </h2>
        <p class="desk-stage">{t(`stage.${visit.stage}`)}</p>
      </div>
      <ul class="plain">
        {visit.waiting.map((person) => (
          <WaitingAtDesk
            key={`${person.seat}/${person.device}`}
            person={person}
            visit={visit}
            state={state}
            app={app}
          />
        ))}
      </ul>
      <ul class="plain desk-calm" aria-label={t("desk.people")}>
        {others.map((seat) => (
          <SeatAtDesk key={seat.seat} seat={seat} visit={visit} state={state} app={app} />
        ))}
      </ul>
    </section>
  );
}

function WaitingAtDesk({ person, visit, state, app }: DeskVisitProps & { person: Waiting }) {
  const words = useWords();
  const { t } = words;
  const now = useNow(state.clockAhead);
  const { seat, device } = person;
  const key = arrivalKey(visit.visit, person);
  const target = { visit: visit.visit, seat, device };
  const deeds: Deed[] = [
    {
      label: admitLabel(person, words),
      look: "main",
      run: () => void app.attempt("desk:admit", target),
    },
    { label: t("action.deny"), run: () => void app.attempt("desk:deny", target) },
  ];
  if (!state.seen.has(key)) deeds.push({ label: t("desk.seen"), run: () => app.seen(key) });
  const message = async (text: string): Promise<boolean> => {
    app.seen(key);
    return app.attempt("desk:message", { visit: visit.visit, seat, text });
  };
  return (
    <Person
      name={person.name || person.said_name}
      facts={waitingFacts(person, words)}
      deeds={deeds}
      onMessage={person.another_device ? undefined : message}
    >
      <Waited since={person.waiting_since} now={now} />
    </Person>
  );
}

function SeatAtDesk({ seat: shown, visit, state, app }: DeskVisitProps & { seat: DeskSeat }) {
  const words = useWords();
  const { t } = words;
  const { seat, name, role, admission, line } = shown;
  const target = { visit: visit.visit, seat };
  const isInside = ["admitted", "present", "away"].includes(admission);
  const deeds: Deed[] = [];
  if (isInside && role !== "provider") {
    deeds.push(
      {
        label: t("action.send_back"),
        run: () => void app.attempt("desk:send_back", target),
      },
      {
        label: t("action.remove"),
        look: "danger",
        run: () => void app.attempt("desk:remove", target),
      },
    );
  }
  if (role === "provider" && RUNNING.includes(visit.stage)) {
    deeds.push({ label: t("desk.open"), run: () => void app.openVisit(target) });
  }
  if (admission === "denied" || admission === "removed") {
    deeds.push({
      label: t("action.let_back"),
      run: () => void app.attempt("desk:let_back", target),
    });
  }
  return (
    <Person
      name={name}
      facts={[
        t(`role.${role}`),
        t(`admission.${admission}`),
        ...(isInside ? lineFacts(line, words) : []),
      ]}
      deeds={deeds}
      about={
        <LineBox
          name={name}
          report={line}
          reader={AT_DESK}
          orders={deskLineOrders(app, visit.visit, seat)}
          inside={isInside}
          clockAhead={state.clockAhead}
        />
      }
    />
  );
}
