import { expect, it } from "vitest";
import { isDown, mediaSeen, NO_RESCUE, networkChanged, type Rescue } from "../src/media/rescue";
import { REOPEN_AFTER, RESTART_APART, RESTART_EVERY } from "../src/timing";

/** Looks at a connection every second from 0 and returns what was done, with the second. */
function lookEverySecond(seconds: number, start: Rescue = NO_RESCUE): [number, string][] {
  let rescue = start;
  const done: [number, string][] = [];
  for (let second = 0; second <= seconds; second += 1) {
    const [next, action] = mediaSeen(rescue, true, second * 1000);
    rescue = next;
    if (action) done.push([second, action]);
  }
  return done;
}

it("asks for a restart at once, then at its pace, then for a new session", () => {
  const pace = RESTART_EVERY / 1000;
  expect(lookEverySecond(REOPEN_AFTER / 1000)).toEqual([
    [0, "restart"],
    [pace, "restart"],
    [2 * pace, "restart"],
    [3 * pace, "restart"],
    [4 * pace, "restart"],
    [REOPEN_AFTER / 1000, "reopen"],
  ]);
});

it("begins anew after a recovery", () => {
  const [down] = mediaSeen(NO_RESCUE, true, 0);
  const [up, action] = mediaSeen(down, false, 1000);
  expect([up.downSince, action]).toEqual([null, null]);
  expect(mediaSeen(up, true, 100_000)[1]).toBe("restart");
});

it("makes one restart of the several events of one network change", () => {
  const [first, action] = networkChanged(NO_RESCUE, 0);
  expect(action).toBe("restart");
  expect(networkChanged(first, RESTART_APART - 1)[1]).toBeNull();
  expect(mediaSeen(first, true, RESTART_APART - 1)[1]).toBeNull();
  expect(networkChanged(first, RESTART_APART)[1]).toBe("restart");
});

it("counts either connection", () => {
  expect(isDown(["connected", "connected"])).toBe(false);
  expect(isDown(["connected", "disconnected"])).toBe(true);
  expect(isDown(["failed"])).toBe(true);
  expect(isDown(["connecting", "new"])).toBe(false);
});
