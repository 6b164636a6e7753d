import type { Snapshot, Waiting } from "../protocol";
import { useNow } from "../ui/clock";
import { type Deed, Person } from "../ui/person";
import { Waited } from "../ui/waited";
import { useWords, type Words } from "../words";
import { type ScreenProps, useApp } from "./context";

/** What is worth knowing about somebody who waits, in words. */
export function waitingFacts(person: Waiting, { t, nameOf, language }: Words): string[] {
  const { said_name: said, name } = person;
  return [
    person.relationship || t(`role.${person.role}`),
    person.another_device ? t("list.another_device") : "",
    said && name && said !== name ? t("list.says", { name: said }) : "",
    person.language === language ? "" : nameOf(person.language),
    ...person.needs.map((need) => t(`need.${need}`)),
    person.by_phone ? t("list.by_phone") : person.connected ? "" : t("list.unreachable"),
  ];
}

/** To admit somebody who has no page is to call them. */
export function admitLabel({ by_phone }: Waiting, { t }: Words): string {
  return by_phone ? t("action.call_admit") : t("action.admit");
}

/** Who asks to come in, with what this person may answer. Nothing at all for those who may not see. */
export function WaitingList({ state }: ScreenProps) {
  const words = useWords();
  const view = state.view as Snapshot;
  const { may } = view.me;
  const decides = may.includes("admit");
  if (!decides && view.waiting.length === 0) return null;
  return (
    <section class="panel panel-waiting" aria-labelledby="waiting-title">
      <h2 id="waiting-title">{words.t(decides ? "list.waiting" : "list.family")}</h2>
      {view.waiting.length === 0 && <p class="hint">{words.t("list.nobody")}</p>}
      {!decides && <p>{words.t("list.family_body")}</p>}
      <ul class="plain">
        {view.waiting.map((person) => (
          <WaitingPerson key={`${person.seat}/${person.device}`} person={person} state={state} />
        ))}
      </ul>
    </section>
  );
}

function WaitingPerson({ person, state }: ScreenProps & { person: Waiting }) {
  const words = useWords();
  const { t } = words;
  const app = useApp();
  const now = useNow(state.clockAhead);
  const may = new Set(state.view?.me.may);
  const { seat, device } = person;
  const deeds: Deed[] = [];
  if (may.has("admit")) {
    deeds.push({
      label: admitLabel(person, words),
      look: "main",
      run: () => void app.attempt("seat:admit", { seat, device }),
    });
  }
  if (may.has("deny")) {
    deeds.push({
      label: t("action.deny"),
      run: () => void app.attempt("seat:deny", { seat, device }),
    });
  }
  if (may.has("object")) {
    deeds.push({ label: t("action.object"), run: () => void app.attempt("seat:object", { seat }) });
  }
  const message = async (text: string): Promise<boolean> =>
    "ok" in (await app.attempt("seat:message", { seat, text }));
  return (
    <Person
      name={person.name || person.said_name}
      facts={waitingFacts(person, words)}
      deeds={deeds}
      onMessage={may.has("message") && !person.another_device ? message : undefined}
    >
      <Waited since={person.waiting_since} now={now} />
    </Person>
  );
}
