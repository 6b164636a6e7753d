import { RETRY_FIRST, RETRY_MOST } from "../timing";

/** Milliseconds before try number `attempt` (0 is the first repetition), with jitter below it. */
export function backoff(
  attempt: number,
  most: number = RETRY_MOST,
  random: number = Math.random(),
): number {
  return Math.min(RETRY_FIRST * 2 ** attempt, most) * (0.5 + random / 2);
}

/** A pause that ends early when the network comes back or the page is looked at again. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(wake, ms);
    function wake(): void {
      clearTimeout(timer);
      removeEventListener("online", wake);
      document.removeEventListener("visibilitychange", seen);
      resolve();
    }
    function seen(): void {
      if (document.visibilityState === "visible") wake();
    }
    addEventListener("online", wake);
    document.addEventListener("visibilitychange", seen);
  });
}
