import { useRef, useState } from "preact/hooks";
import type { LineReport, NumberChoice } from "../protocol";
import { isLost, mayCall, mayCallOwn, otherNumbers } from "../state/lines";
import { useWords } from "../words";
import type { LineOrders } from "./line_story";
import { RecordNumber } from "./record_number";

export interface ReachProps {
  name: string;
  report: LineReport;
  orders: LineOrders;
  /** Calls bring people into a visit: only for somebody who is inside. */
  inside: boolean;
}

/** Every other way to reach somebody: other numbers, whom to call in an emergency, where they are. */
export function Reach({ name, report, orders, inside }: ReachProps) {
  const { t } = useWords();
  const lost = inside && isLost(report);
  const opened = useRef(false);
  opened.current ||= lost; // it stays open for what somebody has begun in it
  const labelled = ({ label }: NumberChoice): string => label || t("reach.unnamed");
  return (
    <details class="reach" open={opened.current}>
      <summary>{t("reach.title")}</summary>
      {inside && mayCall(report) && <Calls report={report} orders={orders} lost={lost} />}
      {otherNumbers(report).unagreed.map((number) => (
        <p key={number.id} class="hint">
          {t("reach.agreed_missing", { label: labelled(number) })}
        </p>
      ))}
      {report.address && <Address orders={orders} />}
      <RecordNumber name={name} orders={orders} report={report} />
    </details>
  );
}

function Calls({
  report,
  orders,
  lost,
}: Pick<ReachProps, "report" | "orders"> & { lost: boolean }) {
  const { t } = useWords();
  const { others, contacts } = otherNumbers(report);
  const own = !lost && mayCallOwn(report);
  return (
    <>
      {own && <Call label={t("reach.own")} onCall={() => orders.call()} />}
      {others.map(({ id, label }) => (
        <Call
          key={id}
          label={t("reach.other", { label: label || t("reach.unnamed") })}
          onCall={() => orders.call(id)}
        />
      ))}
      {contacts.map(({ id, label }) => (
        <Call
          key={id}
          label={t("reach.contact", { label: label || t("reach.unnamed") })}
          onCall={() => orders.call(id)}
        />
      ))}
      {contacts.length > 0 && <p class="hint">{t("reach.contact_hint")}</p>}
    </>
  );
}

function Call({ label, onCall }: { label: string; onCall: () => void }) {
  return (
    <button type="button" class="button button-small" onClick={onCall}>
      {label}
    </button>
  );
}

function Address({ orders }: { orders: LineOrders }) {
  const { t } = useWords();
  const [address, setAddress] = useState<string | null>(null);
  const show = async (): Promise<void> => setAddress(await orders.address());
  return (
    <>
      {address === null && (
        <button type="button" class="button button-small" onClick={() => void show()}>
          {t("reach.address")}
        </button>
      )}
      <p role="status" class="reach-address">
        {address !== null && (address ? t("reach.address_is", { address }) : t("reach.no_address"))}
      </p>
    </>
  );
}
