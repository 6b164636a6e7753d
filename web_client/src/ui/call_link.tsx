import type { Practice } from "../protocol";
import { useWords } from "../words";
import { Icon } from "./icon";

/** The clinic's number, on every screen in the same place. */
export function CallLink({ practice }: { practice: Practice }) {
  const { t } = useWords();
  const { name, phone } = practice;
  if (!phone) return null;
  const label = name ? t("page.call", { name, phone }) : t("page.call_unnamed", { phone });
  return (
    <a class="top-call" href={`tel:${phone.replace(/[^\d+]/g, "")}`} aria-label={label}>
      <Icon name="phone" />
      <span>{phone}</span>
    </a>
  );
}
