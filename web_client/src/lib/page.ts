import type { PracticeCard } from "../protocol";

/** The secret of the link: in the fragment, which browsers send to nobody. */
export function codeOf(address: Location): string {
  return decodeURIComponent(address.hash.slice(1));
}

/** Whose page the server says this is, before it knows which visit. */
export function practiceOf(page: Document): PracticeCard {
  const { practiceName = "", practicePhone = "" } = page.body.dataset;
  return { name: practiceName, phone: practicePhone };
}

/** Another link pasted into the same tab is another visit: begin from the start. */
export function reloadOnNewLink(): void {
  addEventListener("hashchange", () => location.reload());
}
