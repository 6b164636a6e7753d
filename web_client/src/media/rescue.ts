import { REOPEN_AFTER, RESTART_APART, RESTART_EVERY } from "../timing";

/** When to ask the server for an ICE restart, and when to give up and begin a new session. */
export interface Rescue {
  downSince: number | null;
  askedAt: number;
}

export type RescueAction = "restart" | "reopen" | null;

export const NO_RESCUE: Rescue = { downSince: null, askedAt: Number.NEGATIVE_INFINITY };

const DOWN: ReadonlySet<RTCPeerConnectionState> = new Set(["disconnected", "failed"]);

export function isDown(states: readonly RTCPeerConnectionState[]): boolean {
  return states.some((state) => DOWN.has(state));
}

/** The network changed under us: worth a restart even if nothing looks broken yet. */
export function networkChanged(rescue: Rescue, now: number): [Rescue, RescueAction] {
  if (now - rescue.askedAt < RESTART_APART) return [rescue, null];
  return [{ ...rescue, askedAt: now }, "restart"];
}

/** Call on each change of the connections, and every second while they are down. */
export function mediaSeen(rescue: Rescue, down: boolean, now: number): [Rescue, RescueAction] {
  if (!down) return [{ ...rescue, downSince: null }, null];
  const downSince = rescue.downSince ?? now;
  if (now - downSince >= REOPEN_AFTER) return [{ downSince: null, askedAt: now }, "reopen"];
  const apart = rescue.downSince === null ? RESTART_APART : RESTART_EVERY;
  if (now - rescue.askedAt < apart) return [{ ...rescue, downSince }, null];
  return [{ downSince, askedAt: now }, "restart"];
}
