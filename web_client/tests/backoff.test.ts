import { expect, it } from "vitest";
import { backoff } from "../src/net/backoff";
import { RETRY_FIRST, RETRY_MOST } from "../src/timing";

it("grows from the first pause to the longest and stays there", () => {
  const pauses = [0, 1, 2, 3, 4, 5, 50].map((attempt) => backoff(attempt, RETRY_MOST, 1));
  expect(pauses[0]).toBe(RETRY_FIRST);
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  expect(pauses.at(-1)).toBe(RETRY_MOST);
});

it("spreads the browsers of a server that restarts", () => {
  expect(backoff(9, RETRY_MOST, 0)).toBe(RETRY_MOST / 2);
});
