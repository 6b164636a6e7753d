// Generated; do not edit.

export type Role =
  | "patient"
  | "provider"
  | "family"
  | "interpreter"
  | "consultant"
  | "presenter"
  | "observer";

export type Stage =
  | "scheduled"
  | "rescheduled"
  | "open"
  | "in_progress"
  | "interrupted"
  | "ended"
  | "cancelled";

export type Admission =
  | "invited"
  | "checking"
  | "waiting"
  | "admitted"
  | "present"
  | "away"
  | "left"
  | "denied"
  | "removed";

export type Standing = "holding" | "opened" | "waiting" | "refused";

export type EndReason = "by_provider" | "by_practice" | "time_up" | "deserted";

export type Need = "signing" | "relay" | "captions";

export type Action =
  | "speak"
  | "show"
  | "hear"
  | "enter_directly"
  | "see_waiting"
  | "see_family_waiting"
  | "admit"
  | "deny"
  | "remove"
  | "send_back"
  | "let_back"
  | "message"
  | "object"
  | "invite"
  | "end"
  | "reschedule"
  | "cancel"
  | "revoke";

export type ProblemCode =
  | "link_unknown"
  | "visit_early"
  | "visit_moved"
  | "visit_cancelled"
  | "visit_ended"
  | "visit_expired"
  | "seat_denied"
  | "seat_removed"
  | "device_refused"
  | "too_many_devices"
  | "rate_limited"
  | "token_invalid"
  | "not_permitted"
  | "not_admitted"
  | "not_waiting"
  | "which_device"
  | "visit_running"
  | "visit_not_open"
  | "payload_invalid"
  | "store_unavailable"
  | "internal";

export type EndedCode =
  | "visit_ended"
  | "visit_cancelled"
  | "seat_denied"
  | "seat_removed"
  | "device_refused"
  | "device_replaced"
  | "token_expired"
  | "link_unknown"
  | "session_replaced"
  | "left";

export type MediaConnection = "send" | "receive";

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ProblemCode;
  detail?: string;
  opens_at?: number;
  starts_at?: number;
  practice_name?: string;
  practice_phone?: string;
  host?: string;
  retry_after?: number;
}

export interface IceServer {
  urls: string[];
  username?: string;
  credential?: string;
}

export interface Practice {
  name: string;
  phone: string;
}

export interface Notice {
  id: number;
  text: string;
  at: number;
}

export interface Me {
  seat: string;
  device: string;
  role: Role;
  name: string;
  admission: Admission;
  standing: Standing;
  inside: boolean;
  microphone: boolean;
  camera: boolean;
  waiting_since: number | null;
  may: Action[];
  notices: Notice[];
  video_kbps: number;
}

export interface Person {
  seat: string;
  name: string;
  role: Role;
  relationship: string;
  admission: Admission;
  microphone: boolean;
  camera: boolean;
}

export interface Waiting {
  seat: string;
  device: string;
  name: string;
  said_name: string;
  role: Role;
  relationship: string;
  language: string;
  needs: Need[];
  waiting_since: number | null;
  connected: boolean;
  another_device: boolean;
}

export interface InvitedSeat {
  seat: string;
  name: string;
  role: Role;
  relationship: string;
  admission: Admission;
  connected: boolean;
}

export interface View {
  visit: string;
  session: string;
  revision: number;
  now: number;
  stage: Stage;
  starts_at: number;
  ends_at: number;
  host: string;
  end_reason: EndReason | null;
  practice: Practice;
  me: Me;
  people: Person[];
  waiting: Waiting[];
  seats: InvitedSeat[];
}

export interface DeskSeat {
  seat: string;
  role: Role;
  name: string;
  admission: Admission;
  connected: boolean;
}

export interface DeskVisit {
  visit: string;
  host: string;
  stage: Stage;
  starts_at: number;
  ends_at: number;
  seats: DeskSeat[];
  waiting: Waiting[];
}

export interface Desk {
  practice: Practice;
  now: number;
  visits: DeskVisit[];
}

export interface SessionReply {
  session: string;
  token: string;
  expires_in: number;
  seat: string;
  role: Role;
  view: View;
  signal_url: string;
  ice_servers: IceServer[];
}

export interface DeskSessionReply {
  token: string;
  expires_in: number;
  signal_url: string;
  desk: string;
}

export interface SignalError {
  code: string;
  title: string;
}

export type Ack<Result> = ({ ok: true } & Result) | { error: SignalError };

type Nothing = Record<string, never>;
type Done = object;

export interface SeatTarget {
  seat: string;
  device?: string;
}

export interface DeskTarget extends SeatTarget {
  visit: string;
}

export interface Renewal {
  token: string;
  expires_in: number;
}

/** Browser to server, namespace `/visit`. */
export interface VisitSignals {
  "visit:check": { payload: Nothing; result: Done };
  "visit:knock": { payload: { name?: string; language?: string }; result: Done };
  "visit:enter": { payload: Nothing; result: Done };
  "visit:leave": { payload: Nothing; result: Done };
  "media:switch": { payload: { microphone: boolean; camera: boolean }; result: Done };
  "media:answer": { payload: { peer: string; number: number; sdp: string }; result: Done };
  "media:restart": { payload: Nothing; result: Done };
  "session:renew": { payload: Nothing; result: Renewal };
  "seat:admit": { payload: SeatTarget; result: Done };
  "seat:deny": { payload: SeatTarget; result: Done };
  "seat:remove": { payload: { seat: string }; result: Done };
  "seat:send_back": { payload: { seat: string }; result: Done };
  "seat:let_back": { payload: { seat: string }; result: Done };
  "seat:message": { payload: { seat: string; text: string }; result: Done };
  "seat:object": { payload: { seat: string }; result: Done };
  "seat:invite": {
    payload: { role: Role; name: string; language?: string; relationship?: string };
    result: { seat: string; link: string };
  };
  "visit:end": { payload: Nothing; result: Done };
}

/** Browser to server, namespace `/desk`. */
export interface DeskSignals {
  "desk:admit": { payload: DeskTarget; result: Done };
  "desk:deny": { payload: DeskTarget; result: Done };
  "desk:remove": { payload: DeskTarget; result: Done };
  "desk:send_back": { payload: DeskTarget; result: Done };
  "desk:let_back": { payload: DeskTarget; result: Done };
  "desk:message": { payload: DeskTarget & { text: string }; result: Done };
  "desk:renew": { payload: Nothing; result: Renewal };
}

/** Server to browser, namespace `/visit`. */
export interface VisitNews {
  "visit:changed": View;
  "media:offer": { peer: string; connection: MediaConnection; number: number; sdp: string };
  "media:state": { state: "connected" | "lost" };
  "session:ended": { code: EndedCode };
}

/** Server to browser, namespace `/desk`. */
export interface DeskNews {
  "desk:changed": Desk;
  "session:ended": { code: EndedCode };
}
