import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

let shownBefore = false;

/**
 * The heading of a screen. A new screen moves the focus here, so that a screen reader begins at
 * its start; the very first screen leaves the focus where the browser put it.
 */
export function Heading({
  children,
  quiet = false,
}: {
  children: ComponentChildren;
  quiet?: boolean;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (shownBefore) {
      heading.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    shownBefore = true;
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1} class={quiet ? "quiet-heading" : ""}>
      {children}
    </h1>
  );
}
