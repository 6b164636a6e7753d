import { useEffect, useState } from "preact/hooks";
import { CLOCK_TICK } from "../timing";

/** The server's time in seconds, moving on by itself. `ahead` is how far its clock leads ours. */
export function useNow(ahead: number, tick = CLOCK_TICK): number {
  const [now, setNow] = useState(Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), tick);
    return () => clearInterval(timer);
  }, [tick]);
  return now + ahead;
}

/** True once `since` lies `delay` milliseconds back; false again when it is cleared. */
export function useLasting(since: number | null, delay: number): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (since === null) return setLasting(false);
    const timer = setTimeout(() => setLasting(true), Math.max(0, since + delay - Date.now()));
    return () => clearTimeout(timer);
  }, [since, delay]);
  return lasting && since !== null;
}
