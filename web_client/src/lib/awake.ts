/**
 * Keeps the screen lit while `wanted` says so. Browsers let go of the lock whenever the page is
 * hidden, so it is taken again when the page comes back.
 */
export function keepAwake(wanted: () => boolean): { refresh: () => void; stop: () => void } {
  let lock: WakeLockSentinel | null = null;
  let taking = false;

  async function take(): Promise<void> {
    if (taking || (lock && !lock.released)) return;
    taking = true;
    lock = await navigator.wakeLock?.request("screen").catch(() => null);
    taking = false;
    if (!wanted()) release();
  }

  function release(): void {
    void lock?.release();
    lock = null;
  }

  function refresh(): void {
    if (!wanted()) release();
    else if (document.visibilityState === "visible" && !lock) void take();
  }

  function seen(): void {
    if (lock?.released) lock = null;
    refresh();
  }

  document.addEventListener("visibilitychange", seen);
  return {
    refresh,
    stop: () => {
      document.removeEventListener("visibilitychange", seen);
      release();
    },
  };
}
