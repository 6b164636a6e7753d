import { describe, expect, it } from "vitest";
import {
  DEVICES_AT_FIRST,
  type DeviceStatus,
  devicesAfter,
  isLive,
  isTrouble,
  troubleOf,
} from "../src/state/devices";

describe("a device", () => {
  it("is live only while it runs and is wanted", () => {
    expect(isLive({ wanted: true, status: "on" })).toBe(true);
    expect(isLive({ wanted: false, status: "on" })).toBe(false);
    expect(isLive({ wanted: true, status: "refused" })).toBe(false);
  });

  it("keeps the person's wish when it fails, so that help can be offered", () => {
    const state = devicesAfter(DEVICES_AT_FIRST, {
      type: "answered",
      kind: "camera",
      status: "busy",
    });
    expect(state.camera).toEqual({ wanted: true, status: "busy" });
    expect(state.microphone).toEqual(DEVICES_AT_FIRST.microphone);
  });

  it("is asked for together with the other one", () => {
    const state = devicesAfter(DEVICES_AT_FIRST, {
      type: "asked",
      kinds: ["microphone", "camera"],
    });
    expect([state.microphone.status, state.camera.status]).toEqual(["asking", "asking"]);
  });
});

it.each([
  ["NotAllowedError", "refused"],
  ["SecurityError", "refused"],
  ["NotFoundError", "missing"],
  ["OverconstrainedError", "missing"],
  ["NotReadableError", "busy"],
  ["AbortError", "busy"],
  ["TypeError", "failed"],
])("%s means %s", (name, trouble) => expect(troubleOf(name)).toBe(trouble));

it.each<[DeviceStatus, boolean]>([
  ["unasked", false],
  ["asking", false],
  ["on", false],
  ["off", false],
  ["refused", true],
  ["missing", true],
  ["busy", true],
  ["failed", true],
])("%s is trouble: %s", (status, trouble) => expect(isTrouble(status)).toBe(trouble));
