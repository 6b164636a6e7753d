import type { PracticeCard } from "../protocol";
import { useWords, type Words } from "../words";
import { Icon } from "./icon";

/** The address that makes a phone dial this number (RFC 3966). */
export function telephone(phone: string): string {
  return `tel:${phone.replace(/[^\d+]/g, "")}`;
}

/** "Call Harbour Clinic: +1 555 0100", with a number that does not break over two lines. */
export function callWords({ name, phone: number }: PracticeCard, t: Words["t"]): string {
  const phone = number.replaceAll(" ", "\u00a0");
  return name ? t("page.call", { name, phone }) : t("page.call_unnamed", { phone });
}

/** The clinic's number, on every screen in the same place. */
export function CallLink({ practice }: { practice: PracticeCard }) {
  const { t } = useWords();
  if (!practice.phone) return null;
  return (
    <a class="top-call" href={telephone(practice.phone)} aria-label={callWords(practice, t)}>
      <Icon name="phone" />
      <span>{practice.phone}</span>
    </a>
  );
}
