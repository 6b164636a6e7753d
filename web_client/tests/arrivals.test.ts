import { expect, it } from "vitest";
import {
  type Arrivals,
  arrivalKey,
  arrivalsAfter,
  NO_ARRIVALS,
  notice,
  unnoticed,
} from "../src/state/arrivals";
import { ARRIVAL_AGAIN, ARRIVAL_APART } from "../src/timing";

/** Plays a story of (time, who waits) and returns when it chimed. */
function chimes(story: [number, string[]][], start: Arrivals = NO_ARRIVALS): number[] {
  let arrivals = start;
  return story.flatMap(([now, keys]) => {
    const [next, isDue] = arrivalsAfter(arrivals, keys, now);
    arrivals = next;
    return isDue ? [now] : [];
  });
}

it("chimes when somebody arrives", () => {
  expect(
    chimes([
      [0, []],
      [10, ["a"]],
    ]),
  ).toEqual([10]);
});

it("chimes once for a party that arrives together", () => {
  expect(
    chimes([
      [0, ["a"]],
      [1, ["a", "b"]],
      [2, ["a", "b", "c"]],
    ]),
  ).toEqual([0]);
});

it("chimes again for somebody who arrives later", () => {
  expect(
    chimes([
      [0, ["a"]],
      [ARRIVAL_APART, ["a", "b"]],
    ]),
  ).toEqual([0, ARRIVAL_APART]);
});

it("chimes again and again while somebody waits whom nobody has noticed", () => {
  const again = ARRIVAL_AGAIN;
  expect(
    chimes([
      [0, ["a"]],
      [again - 1, ["a"]],
      [again, ["a"]],
      [2 * again, ["a"]],
    ]),
  ).toEqual([0, again, 2 * again]);
});

it("falls silent for whoever was noticed, and remembers it only while they wait", () => {
  const [arrived] = arrivalsAfter(NO_ARRIVALS, ["a"], 0);
  const noticed = notice(arrived, "a");
  expect(unnoticed(noticed)).toBe(0);
  expect(chimes([[ARRIVAL_AGAIN, ["a"]]], noticed)).toEqual([]);
  expect(
    chimes(
      [
        [1, []],
        [ARRIVAL_AGAIN, ["a"]],
      ],
      noticed,
    ),
  ).toEqual([ARRIVAL_AGAIN]);
});

it("knows the devices of one seat apart", () => {
  const key = (device: string): string => arrivalKey("v", { seat: "s", device });
  expect(key("one")).not.toBe(key("two"));
});
