import type { VisitNews } from "../protocol";

/** The whole telephone, as the server tells it whenever anything about it changes. */
export interface PhoneChanged {
  type: "phone:changed";
  state: "idle" | "ringing" | "talking";
  caller: string;
  number: string;
  voicemail: boolean;
}

export type PhoneNews =
  | PhoneChanged
  | ({ type: "media:offer" } & VisitNews["media:offer"])
  | { type: "media:state"; state: "connected" | "lost" }
  | { type: "taken" };

export type PhoneDeed =
  | { type: "answer" | "decline" | "hang_up" | "media:restart" }
  | { type: "press"; key: string }
  | { type: "voicemail"; on: boolean }
  | { type: "media:answer"; peer: string; number: number; sdp: string };

export const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"] as const;
const KEYS_SHOWN = 12;

export type Microphone = "unasked" | "asking" | "on" | "off";

/** How the page stands with the telephone. Everything on screen follows from this. */
export interface PhoneState {
  power: "off" | "on" | "taken";
  away: boolean;
  phone: PhoneChanged | null;
  /** When this call was answered, in milliseconds. */
  since: number | null;
  /** What was pressed in this call. */
  keys: string;
  /** The last call is over, and no other has come yet. */
  ended: boolean;
  microphone: Microphone;
  streams: ReadonlyMap<string, MediaStream>;
}

export type PhoneEvent =
  | { type: "switchedOn" }
  | { type: "changed"; phone: PhoneChanged; at: number }
  | { type: "taken" }
  | { type: "away" }
  | { type: "pressed"; key: string }
  | { type: "microphone"; microphone: Microphone }
  | { type: "streams"; streams: ReadonlyMap<string, MediaStream> };

export const PHONE_AT_FIRST: PhoneState = {
  power: "off",
  away: false,
  phone: null,
  since: null,
  keys: "",
  ended: false,
  microphone: "unasked",
  streams: new Map(),
};

export type PhoneScreen = "off" | "idle" | "ringing" | "talking" | "taken";

export function phoneScreen({ power, phone }: PhoneState): PhoneScreen {
  return power === "on" ? (phone?.state ?? "idle") : power;
}

function adopt(state: PhoneState, phone: PhoneChanged, at: number): PhoneState {
  const before = state.phone?.state ?? "idle";
  const since = phone.state === "talking" ? (state.since ?? at) : null;
  const keys = phone.state === "talking" ? state.keys : "";
  const ended = phone.state === "idle" && (before !== "idle" || state.ended);
  return { ...state, away: false, phone, since, keys, ended };
}

export function phoneAfter(state: PhoneState, event: PhoneEvent): PhoneState {
  switch (event.type) {
    case "switchedOn":
      return { ...state, power: "on", ended: false };
    case "changed":
      return state.power === "on" ? adopt(state, event.phone, event.at) : state;
    case "taken":
      return { ...state, power: "taken", phone: null, since: null, keys: "" };
    case "away": // a telephone without its server is in no call
      return { ...state, away: state.power === "on", phone: null, since: null, keys: "" };
    case "pressed":
      return { ...state, keys: (state.keys + event.key).slice(-KEYS_SHOWN) };
    case "microphone":
      return { ...state, microphone: event.microphone };
    case "streams":
      return { ...state, streams: event.streams };
  }
}
