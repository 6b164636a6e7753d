import type { Problem, ProblemCode, SessionOver, Snapshot } from "../protocol";
import {
  DEVICES_AT_FIRST,
  type DeviceEvent,
  type Devices,
  devicesAfter,
  isLive,
  type Kind,
} from "./devices";
import { isInCall, type Trial, trialAfter } from "./own_line";
import type { PlanStep } from "./phone_plan";

/** How the page stands with the server and the visit. Everything on screen follows from this. */
export interface JoinState {
  step: "opening" | "live" | "refused" | "over";
  /** The server cannot be reached since this moment, if it cannot. */
  awayAt: number | null;
  /** Media that worked has stopped since this moment. */
  mediaLostAt: number | null;
  refusal: Problem | null;
  over: SessionOver["code"] | null;
  view: Snapshot | null;
  /** The next view is the first of a connection: whatever the page saw before is older. */
  anew: boolean;
  /** Seconds the server's clock is ahead of ours. */
  clockAhead: number;
  /** "Join the visit" was pressed and the server has not yet said what comes of it. */
  joining: boolean;
  devices: Devices;
  streams: ReadonlyMap<string, MediaStream>;
  soundAllowed: boolean;
  /** The code of the last thing that did not work, until something else is tried. */
  trouble: string | null;
  /** Whom to call if the video fails: asked while somebody waits, until they answer. */
  plan: PlanStep;
  /** What came of the last "Ring me now". */
  trial: Trial;
}

export type JoinEvent =
  | { type: "opened"; view: Snapshot; at: number }
  | { type: "viewed"; view: Snapshot; at: number }
  | { type: "refused"; problem: Problem }
  | { type: "ended"; code: SessionOver["code"] }
  | { type: "reopening" }
  | { type: "lineUp" }
  | { type: "lineDown"; at: number }
  | { type: "mediaDown"; at: number }
  | { type: "mediaUp" }
  | { type: "joining" }
  | { type: "failed"; code: string }
  | { type: "tried" }
  | { type: "planned"; plan: PlanStep }
  | { type: "streams"; streams: ReadonlyMap<string, MediaStream> }
  | { type: "soundAllowed"; allowed: boolean }
  | { type: "device"; event: DeviceEvent };

export const JOIN_AT_FIRST: JoinState = {
  step: "opening",
  awayAt: null,
  mediaLostAt: null,
  refusal: null,
  over: null,
  view: null,
  anew: false,
  clockAhead: 0,
  joining: false,
  devices: DEVICES_AT_FIRST,
  streams: new Map(),
  soundAllowed: true,
  trouble: null,
  plan: "asked",
  trial: null,
};

export type Screen = "opening" | "check" | "waiting" | "visit" | "closed";

/** Why the page can go no further: a refusal of the link, or the end of the session. */
export type ClosedCode = ProblemCode | SessionOver["code"];

export function isWaiting(view: Snapshot): boolean {
  const { me } = view;
  if (me.inside) return false;
  return me.standing === "waiting" || (me.standing === "holding" && me.admission === "waiting");
}

export function screenOf(state: JoinState): Screen {
  if (state.step === "refused" || state.step === "over") return "closed";
  if (!state.view) return "opening";
  if (state.view.me.inside) return "visit";
  return isWaiting(state.view) ? "waiting" : "check";
}

export function closedCode(state: JoinState): ClosedCode | null {
  return state.refusal?.code ?? state.over;
}

/** Whether somebody who comes to this view should already have camera and microphone running. */
export function isUnderWay(view: Snapshot): boolean {
  return view.me.inside || isWaiting(view);
}

/** Whether others get something from this device: of a telephone, its owner's wish decides. */
export function isSent(state: JoinState, kind: Kind): boolean {
  const device = state.devices[kind];
  const byPhone = kind === "microphone" && state.view !== null && isInCall(state.view.me.line);
  return byPhone ? device.wanted : isLive(device);
}

function adopt(state: JoinState, view: Snapshot, at: number): JoinState {
  const overtaken = state.view !== null && view.revision < state.view.revision;
  if (overtaken && !state.anew) return state; // on its way
  const settled = view.me.inside || isWaiting(view);
  return {
    ...state,
    step: "live",
    refusal: null,
    over: null,
    view,
    anew: false,
    clockAhead: view.now - at / 1000,
    joining: state.joining && !settled,
    trial: trialAfter(state.view?.me.line, view.me.line, state.trial),
  };
}

function closed(state: JoinState, change: Partial<JoinState>): JoinState {
  return {
    ...state,
    joining: false,
    awayAt: null,
    mediaLostAt: null,
    streams: new Map(),
    trouble: null,
    ...change,
  };
}

export function joinAfter(state: JoinState, event: JoinEvent): JoinState {
  switch (event.type) {
    case "opened":
      return adopt(state, event.view, event.at);
    case "viewed": // what was still on its way does not open a closed page
      return state.step === "live" ? adopt(state, event.view, event.at) : state;
    case "refused":
      return closed(state, { step: "refused", refusal: event.problem, over: null });
    case "ended":
      return closed(state, { step: "over", over: event.code, refusal: null });
    case "reopening":
      return closed(state, { step: "opening", view: null, refusal: null, over: null });
    case "lineUp": // a server may know less than the one before it, whose last writes were lost
      return { ...state, awayAt: null, anew: true };
    case "lineDown":
      return { ...state, awayAt: state.awayAt ?? event.at };
    case "mediaDown":
      return { ...state, mediaLostAt: state.mediaLostAt ?? event.at };
    case "mediaUp":
      return state.mediaLostAt === null ? state : { ...state, mediaLostAt: null };
    case "joining":
      return { ...state, joining: true, trouble: null };
    case "failed":
      return { ...state, joining: false, trouble: event.code };
    case "tried":
      return state.trouble === null ? state : { ...state, trouble: null };
    case "planned": // what was tried before was perhaps another number
      return { ...state, plan: event.plan, trial: null };
    case "streams":
      return { ...state, streams: event.streams };
    case "soundAllowed":
      return state.soundAllowed === event.allowed
        ? state
        : { ...state, soundAllowed: event.allowed };
    case "device":
      return { ...state, devices: devicesAfter(state.devices, event.event) };
  }
}
