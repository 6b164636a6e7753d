import { useId, useState } from "preact/hooks";
import { troubleKey } from "../lib/trouble";
import type { LineReport } from "../protocol";
import { OWN_NUMBER, SPOKEN_WORDING } from "../state/phone_plan";
import { useWords } from "../words";
import { ChoiceField } from "./choice_field";
import { Dialog } from "./dialog";
import type { LineOrders } from "./line_story";
import { PhoneField } from "./phone_field";
import { TextField } from "./text_field";

type Whose = "own" | "other" | "contact";

const WHOSE: readonly Whose[] = ["own", "other", "contact"];

export interface RecordNumberProps {
  name: string;
  report: LineReport;
  orders: LineOrders;
}

/** Writes down a number, and that somebody agreed by word of mouth to its being called. */
export function RecordNumber({ name, report, orders }: RecordNumberProps) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const close = (): void => setOpen(false);
  return (
    <>
      <button type="button" class="button button-small" onClick={() => setOpen(true)}>
        {t("reach.record")}
      </button>
      {open && (
        <Dialog title={t("record.title", { name: name || t("list.unnamed") })} onClose={close}>
          <RecordForm report={report} orders={orders} onClose={close} />
        </Dialog>
      )}
    </>
  );
}

/** An id that no other number of the seat has. */
function freshId({ numbers }: LineReport): string {
  const taken = new Set(numbers.map(({ id }) => id));
  let count = numbers.length;
  while (taken.has(`n${count}`)) count += 1;
  return `n${count}`;
}

function RecordForm({
  report,
  orders,
  onClose,
}: Omit<RecordNumberProps, "name"> & { onClose: () => void }) {
  const { t, language } = useWords();
  const id = useId();
  const [whose, setWhose] = useState<Whose>("own");
  const [label, setLabel] = useState("");
  const [number, setNumber] = useState("");
  const [problem, setProblem] = useState("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const own = whose === "own";
    const code = await orders.record({
      id: own ? OWN_NUMBER : freshId(report),
      number: number.trim(),
      label: own ? "" : label.trim(),
      contact: whose === "contact",
      wording: SPOKEN_WORDING,
      language,
    });
    if (code === null) onClose();
    else setProblem(code);
  };
  return (
    <form onSubmit={submit}>
      <ChoiceField
        label={t("record.whose")}
        choices={WHOSE.map((each) => ({ value: each, text: t(`record.${each}`) }))}
        value={whose}
        onValue={setWhose}
      />
      {whose !== "own" && (
        <TextField label={t("record.label")} value={label} onValue={setLabel} required />
      )}
      <PhoneField
        label={t("record.number")}
        value={number}
        onValue={(value) => {
          setNumber(value);
          setProblem("");
        }}
        problem={problem && t(troubleKey(problem))}
      />
      <p>{t("record.read")}</p>
      <blockquote class="note">{t("record.text")}</blockquote>
      <label class="tick" for={`${id}-agreed`}>
        <input id={`${id}-agreed`} type="checkbox" required />
        <span>{t("record.agreed")}</span>
      </label>
      <div class="row">
        <button type="submit" class="button button-main">
          {t("record.save")}
        </button>
        <button type="button" class="button" onClick={onClose}>
          {t("message.cancel")}
        </button>
      </div>
    </form>
  );
}
