/** What we know about the camera and the microphone of this browser, and what the person wants. */

export type Kind = "microphone" | "camera";

export type DeviceTrouble = "refused" | "missing" | "busy" | "failed";

export type DeviceStatus = "unasked" | "asking" | "on" | "off" | DeviceTrouble;

export interface Device {
  wanted: boolean;
  status: DeviceStatus;
}

export type Devices = Readonly<Record<Kind, Device>>;

export type DeviceEvent =
  | { type: "wanted"; kind: Kind; wanted: boolean }
  | { type: "asked"; kinds: readonly Kind[] }
  | { type: "answered"; kind: Kind; status: DeviceStatus };

export const DEVICES_AT_FIRST: Devices = {
  microphone: { wanted: true, status: "unasked" },
  camera: { wanted: true, status: "unasked" },
};

const TROUBLES: ReadonlySet<DeviceStatus> = new Set(["refused", "missing", "busy", "failed"]);

export function isTrouble(status: DeviceStatus): status is DeviceTrouble {
  return TROUBLES.has(status);
}

/** What others get from this device right now. */
export function isLive(device: Device): boolean {
  return device.wanted && device.status === "on";
}

function patch(devices: Devices, kind: Kind, change: Partial<Device>): Devices {
  return { ...devices, [kind]: { ...devices[kind], ...change } };
}

/** W3C Media Capture and Streams section 10.2 names these errors of `getUserMedia`. */
export function troubleOf(errorName: string): DeviceTrouble {
  if (errorName === "NotAllowedError" || errorName === "SecurityError") return "refused";
  if (errorName === "NotFoundError" || errorName === "OverconstrainedError") return "missing";
  if (errorName === "NotReadableError" || errorName === "AbortError") return "busy";
  return "failed";
}

export function devicesAfter(devices: Devices, event: DeviceEvent): Devices {
  switch (event.type) {
    case "wanted":
      return patch(devices, event.kind, { wanted: event.wanted });
    case "asked":
      return event.kinds.reduce((now, kind) => patch(now, kind, { status: "asking" }), devices);
    case "answered":
      return patch(devices, event.kind, { status: event.status });
  }
}
