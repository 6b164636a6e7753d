import type { PracticeCard } from "../protocol";
import { CONTACT_KEPT } from "../timing";

function escaped(text: string): string {
  return text.replace(/[\\,;]/g, "\\$&").replace(/\s+/g, " ");
}

/** The practice as a card for an address book (vCard 3.0, RFC 2426: the one that all phones read). */
export function contactCard({ name, phone }: PracticeCard): string {
  const lines = [
    "BEGIN:VCARD",
    "VERSION:3.0",
    `N:${escaped(name)};;;;`,
    `FN:${escaped(name)}`,
    `ORG:${escaped(name)}`,
    `TEL;TYPE=WORK,VOICE:${phone.replace(/[^\d+]/g, "")}`,
    "END:VCARD",
    "",
  ];
  return lines.join("\r\n");
}

/** Offers the card to the browser, which hands it to the address book or saves it. */
export function saveContact(practice: PracticeCard): void {
  const url = URL.createObjectURL(new Blob([contactCard(practice)], { type: "text/vcard" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "contact.vcf";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), CONTACT_KEPT);
}
