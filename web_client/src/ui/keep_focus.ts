import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

/**
 * Keeps the focus somewhere sensible when the button that had it disappears, as "Admit" does
 * together with whoever was admitted: it goes to the heading of that section or dialog, or of the
 * page.
 */
export function useKeptFocus<Box extends HTMLElement>(): RefObject<Box | null> {
  const box = useRef<Box>(null);
  useEffect(() => {
    const list = box.current;
    if (!list) return;
    let section: Element | null = null;
    const note = (): void => {
      const focused = document.activeElement;
      section = focused && list.contains(focused) ? focused.closest("section, dialog") : null;
    };
    const watch = new MutationObserver(() => {
      if (!section || document.activeElement !== document.body) return;
      const heading = section.isConnected ? section.querySelector("h2") : null;
      focusOn(heading ?? document.querySelector("h1"));
      section = null;
    });
    document.addEventListener("focusin", note);
    watch.observe(list, { childList: true, subtree: true });
    return () => {
      document.removeEventListener("focusin", note);
      watch.disconnect();
    };
  }, []);
  return box;
}

function focusOn(heading: HTMLElement | null): void {
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
