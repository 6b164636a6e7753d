// Generated from the server's tables by `python -m server.protocol_docs`; do not edit.

/**
 * Something a role may or may not do.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Action".
 */
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
  | "revoke"
  | "open"
  | "see_lines"
  | "call"
  | "greet";
/**
 * How far one seat has come (states of ``admission``).
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Admission".
 */
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
/**
 * What is said to a telephone, in the seat's language.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Prompt".
 */
export type Prompt =
  | "gate"
  | "connecting"
  | "trial"
  | "trial_done"
  | "joined"
  | "first_in_line"
  | "hand_back"
  | "interrupted"
  | "goodbye";
/**
 * Why a call did not bring the person into the visit.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "CallFailure".
 */
export type CallFailure =
  | "busy"
  | "no_answer"
  | "declined"
  | "blocked"
  | "bad_number"
  | "carrier_down"
  | "limited"
  | "nobody_confirmed"
  | "hung_up"
  | "broken"
  | "lost"
  | "wrong_person"
  | "refused";
/**
 * What somebody is in a visit; decides what they may do and see.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Role".
 */
export type Role =
  | "patient"
  | "provider"
  | "family"
  | "interpreter"
  | "consultant"
  | "presenter"
  | "observer";
/**
 * How somebody's sound reaches the visit (states of ``fallback``).
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Fallback".
 */
export type Fallback =
  | "good"
  | "degraded"
  | "stuck"
  | "dialing"
  | "ringing"
  | "gate"
  | "bridged"
  | "recovering";
/**
 * How well the browser's sound gets through, both ways, as the server measures it.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Sound".
 */
export type Sound = "fine" | "weak" | "unusable" | "silent";
/**
 * Why nobody is called although the connection fails.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Stuck".
 */
export type Stuck =
  | "no_number"
  | "no_consent"
  | "refused"
  | "calls_used"
  | "not_reached"
  | "stopped";
/**
 * Where the visit as a whole is (states of ``lifecycle``).
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Stage".
 */
export type Stage =
  | "scheduled"
  | "rescheduled"
  | "open"
  | "in_progress"
  | "interrupted"
  | "ended"
  | "cancelled";
/**
 * How somebody communicates, where that changes what the system must do.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Need".
 */
export type Need = "signing" | "relay" | "captions";
/**
 * Why a visit ended.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "EndReason".
 */
export type EndReason = "by_provider" | "by_practice" | "time_up" | "deserted";
/**
 * What one browser is to the seat whose link it opened.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Standing".
 */
export type Standing = "holding" | "opened" | "waiting" | "refused";
/**
 * How somebody is there, as everybody in the visit may know.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Way".
 */
export type Way = "browser" | "weak" | "calling" | "joining" | "phone";
/**
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "ProblemCode".
 */
export type ProblemCode =
  | "already_exists"
  | "call_not_answered"
  | "call_underway"
  | "calls_used"
  | "configuration_invalid"
  | "device_refused"
  | "handshake_failed"
  | "idempotency_key_invalid"
  | "idempotency_mismatch"
  | "internal"
  | "link_unknown"
  | "media_error"
  | "name_tells_of_health"
  | "no_call"
  | "no_number"
  | "node_silent"
  | "node_unreachable"
  | "not_admitted"
  | "not_barred"
  | "not_found"
  | "not_owner"
  | "not_permitted"
  | "not_waiting"
  | "number_emergency"
  | "number_invalid"
  | "number_premium"
  | "number_unreachable"
  | "origin_refused"
  | "payload_invalid"
  | "phone_refused"
  | "prompt_language_invalid"
  | "prompt_too_long"
  | "prompt_unreadable"
  | "rate_limited"
  | "sdp_refused"
  | "seat_denied"
  | "seat_removed"
  | "speak_first"
  | "store_error"
  | "store_unavailable"
  | "times_invalid"
  | "token_invalid"
  | "too_many_devices"
  | "too_many_prompts"
  | "too_slow"
  | "unauthorized"
  | "unknown_device"
  | "unknown_seat"
  | "unknown_visit"
  | "version_conflict"
  | "video_not_ready"
  | "visit_cancelled"
  | "visit_early"
  | "visit_ended"
  | "visit_expired"
  | "visit_full"
  | "visit_moved"
  | "visit_not_open"
  | "visit_running"
  | "which_device";

export interface Protocol {}
/**
 * Where the practice believes the person to be, for sending help; empty if it does not know.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "AddressTold".
 */
export interface AddressTold {
  address: string;
}
/**
 * How telephones are spoken to in a practice's name.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Announcements".
 */
export interface Announcements {
  spoken_name: string;
  call_back: string;
  recordings: Recording[];
  spoken: Spoken[];
}
/**
 * A practice's own recording of one announcement, in one language.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Recording".
 */
export interface Recording {
  prompt: Prompt;
  language: string;
}
/**
 * The words of one announcement, in one language, where the practice has not recorded it.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Spoken".
 */
export interface Spoken {
  prompt: Prompt;
  language: string;
  text: string;
}
/**
 * What opening a desk link gives a browser.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "DeskReply".
 */
export interface DeskReply {
  desk: string;
  token: string;
  expires_in: number;
  signal_url: string;
}
/**
 * One seat on a desk's list.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "DeskSeat".
 */
export interface DeskSeat {
  seat: string;
  role: Role;
  name: string;
  admission: Admission;
  connected: boolean;
  line: LineReport;
}
/**
 * Somebody's connection as staff follow it.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "LineReport".
 */
export interface LineReport {
  state: Fallback;
  sound: Sound;
  since: number | null;
  silent_since: number | null;
  next_call_at: number | null;
  page: boolean;
  trial: boolean;
  why: CallFailure | null;
  stuck: Stuck | null;
  calls: number;
  greeter: string;
  joined: boolean;
  voice_confirmed: boolean;
  kept: boolean;
  numbers: NumberChoice[];
  address: boolean;
}
/**
 * A number that staff may call for a seat: by its name, never by its digits.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "NumberChoice".
 */
export interface NumberChoice {
  id: string;
  label: string;
  contact: boolean;
  agreed: boolean;
}
/**
 * ``desk:changed``: the practice's day, whole.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "DeskSnapshot".
 */
export interface DeskSnapshot {
  practice: PracticeCard;
  now: number;
  visits: DeskVisit[];
  more: number;
}
/**
 * What people may be told of the practice.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "PracticeCard".
 */
export interface PracticeCard {
  name: string;
  phone: string;
}
/**
 * One visit on a desk's list.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "DeskVisit".
 */
export interface DeskVisit {
  visit: string;
  host: string;
  stage: Stage;
  starts_at: number;
  ends_at: number;
  seats: DeskSeat[];
  waiting: Waiting[];
}
/**
 * One device that waits to be let in, or somebody without one who is then called.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Waiting".
 */
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
  by_phone: boolean;
}
/**
 * A page's last word, sent while it closes: the token of its session.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Goodbye".
 */
export interface Goodbye {
  token: string;
}
/**
 * One entry of RTCConfiguration.iceServers.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "IceServer".
 */
export interface IceServer {
  urls: string[];
  username?: string;
  credential?: string;
}
/**
 * A new seat.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Invitation".
 */
export interface Invitation {
  role: Role;
  name?: string;
  language?: string;
  relationship?: string;
}
/**
 * A new seat and its link, which is told this once.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "InvitationMade".
 */
export interface InvitationMade {
  seat: string;
  link: string;
}
/**
 * One line of the guest list, for those who may invite.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Invited".
 */
export interface Invited {
  seat: string;
  name: string;
  role: Role;
  relationship: string;
  admission: Admission;
  connected: boolean;
  line: LineReport;
}
/**
 * Asks to come in.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Knock".
 */
export interface Knock {
  name?: string;
  language?: string;
}
/**
 * The secret of a link.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "LinkCode".
 */
export interface LinkCode {
  code: string;
}
/**
 * A link, which is told this once.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "LinkMade".
 */
export interface LinkMade {
  link: string;
}
/**
 * The reader's own seat and device; ``another_device`` if not this one but another holds it.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Me".
 */
export interface Me {
  seat: string;
  device: string;
  role: Role;
  name: string;
  admission: Admission;
  standing: Standing;
  another_device: boolean;
  inside: boolean;
  microphone: boolean;
  camera: boolean;
  waiting_since: number | null;
  may: Action[];
  notices: Notice[];
  video_kbps: number;
  line: MyLine;
}
/**
 * A one-way message from the clinic to somebody who waits.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Notice".
 */
export interface Notice {
  id: number;
  text: string;
  at: number;
}
/**
 * The reader's own connection. ``number`` is the end of the number that would be called.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "MyLine".
 */
export interface MyLine {
  state: Fallback;
  sound: Sound;
  since: number | null;
  number: string;
  agreed: boolean;
  same_device: boolean;
  trial: boolean;
  other_phone: boolean;
  tried_at: number | null;
  why: CallFailure | null;
  stuck: Stuck | null;
  joined: boolean;
  returning: boolean;
  kept: boolean;
}
/**
 * The browser's answer to ``media:offer``.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "MediaAnswer".
 */
export interface MediaAnswer {
  peer: string;
  number: number;
  sdp: string;
}
/**
 * How the page heard the others in the last second (W3C webrtc-stats).
 *
 * ``concealed`` is the share of samples that were made up, silence aside; ``buffer`` the mean
 * delay of the jitter buffer and ``round_trip`` the time to the server and back, in seconds.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "MediaHeard".
 */
export interface MediaHeard {
  concealed: number;
  buffer: number;
  round_trip?: number | null;
}
/**
 * ``media:offer``: an SDP offer for one of the page's two peer connections.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "MediaOffer".
 */
export interface MediaOffer {
  peer: string;
  connection: "send" | "receive";
  number: number;
  sdp: string;
}
/**
 * ``media:state``: whether the server has this page's media.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "MediaState".
 */
export interface MediaState {
  state: "connected" | "lost";
}
/**
 * What the server may forward of me.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "MediaSwitch".
 */
export interface MediaSwitch {
  microphone: boolean;
  camera: boolean;
}
/**
 * Words from the clinic to somebody who waits.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Message".
 */
export interface Message {
  seat: string;
  text: string;
}
/**
 * A signal that says all by its name.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Nothing".
 */
export interface Nothing {}
/**
 * A number of a seat, written down by staff.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "NumberOfSeat".
 */
export interface NumberOfSeat {
  seat: string;
  id?: string;
  number: string;
  label?: string;
  contact?: boolean;
  wording?: string;
  language?: string;
}
/**
 * A command about one seat, or about one device that waits there.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "OfDevice".
 */
export interface OfDevice {
  seat: string;
  device?: string;
}
/**
 * A command about one of a seat's numbers; empty: the person's own.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "OfNumber".
 */
export interface OfNumber {
  seat: string;
  number?: string;
}
/**
 * A command about one seat.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "OfSeat".
 */
export interface OfSeat {
  seat: string;
}
/**
 * A desk's command about one seat or device of one of the practice's visits.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "OfVisitDevice".
 */
export interface OfVisitDevice {
  seat: string;
  device?: string;
  visit: string;
}
/**
 * A desk's command about one of a seat's numbers.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "OfVisitNumber".
 */
export interface OfVisitNumber {
  seat: string;
  number?: string;
  visit: string;
}
/**
 * A desk's command about one seat of one of the practice's visits.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "OfVisitSeat".
 */
export interface OfVisitSeat {
  seat: string;
  visit: string;
}
/**
 * Somebody else who is inside.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Person".
 */
export interface Person {
  seat: string;
  name: string;
  role: Role;
  relationship: string;
  admission: Admission;
  microphone: boolean;
  camera: boolean;
  way: Way;
  line: LineReport | null;
}
/**
 * Whom to call if my video fails; empty ``number``: the one that the practice has.
 *
 * ``wording`` is the version of the text that the person agreed to.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "PhonePlan".
 */
export interface PhonePlan {
  number?: string;
  same_device?: boolean;
  wording: string;
  language?: string;
}
/**
 * An error (RFC 9457) with Bedside's stable ``code``.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Problem".
 */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ProblemCode;
  fields?: string[];
  retry_after?: number;
  practice_name?: string;
  practice_phone?: string;
  host?: string;
  starts_at?: number;
  opens_at?: number;
  moved_from?: number | null;
}
/**
 * A fresh token for the same session.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Renewal".
 */
export interface Renewal {
  token: string;
  expires_in: number;
}
/**
 * ``session:ended``: why the server closes this session.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "SessionOver".
 */
export interface SessionOver {
  code:
    | "device_refused"
    | "device_replaced"
    | "left"
    | "link_unknown"
    | "seat_denied"
    | "seat_removed"
    | "session_replaced"
    | "token_expired"
    | "visit_cancelled"
    | "visit_early"
    | "visit_ended"
    | "visit_expired"
    | "visit_moved";
}
/**
 * What opening a link gives a browser.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "SessionReply".
 */
export interface SessionReply {
  session: string;
  token: string;
  expires_in: number;
  seat: string;
  role: Role;
  view: Snapshot;
  signal_url: string;
  ice_servers: IceServer[];
}
/**
 * ``visit:changed``: everything one page is told about the visit, whole.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "Snapshot".
 */
export interface Snapshot {
  visit: string;
  revision: number;
  stage: Stage;
  starts_at: number;
  ends_at: number;
  host: string;
  end_reason: EndReason | null;
  me: Me;
  people: Person[];
  waiting: Waiting[];
  seats: Invited[];
  practice: PracticeCard;
  session: string;
  now: number;
  calls_people: boolean;
}
/**
 * Why a signal was refused.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "SignalError".
 */
export interface SignalError {
  code: string;
  title: string;
  fields?: string[];
  retry_after?: number;
}
/**
 * Words from the desk to somebody who waits.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "VisitMessage".
 */
export interface VisitMessage {
  seat: string;
  text: string;
  visit: string;
}
/**
 * A number of a seat, written down at the desk.
 *
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "VisitNumber".
 */
export interface VisitNumber {
  seat: string;
  id?: string;
  number: string;
  label?: string;
  contact?: boolean;
  wording?: string;
  language?: string;
  visit: string;
}
/**
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "VisitSignals".
 */
export interface VisitSignals {
  "visit:check": {
    payload: Nothing;
    result: Nothing;
  };
  "visit:knock": {
    payload: Knock;
    result: Nothing;
  };
  "visit:enter": {
    payload: Nothing;
    result: Nothing;
  };
  "visit:leave": {
    payload: Nothing;
    result: Nothing;
  };
  "visit:end": {
    payload: Nothing;
    result: Nothing;
  };
  "session:renew": {
    payload: Nothing;
    result: Renewal;
  };
  "media:switch": {
    payload: MediaSwitch;
    result: Nothing;
  };
  "media:answer": {
    payload: MediaAnswer;
    result: Nothing;
  };
  "media:restart": {
    payload: Nothing;
    result: Nothing;
  };
  "media:heard": {
    payload: MediaHeard;
    result: Nothing;
  };
  "page:hidden": {
    payload: Nothing;
    result: Nothing;
  };
  "page:shown": {
    payload: Nothing;
    result: Nothing;
  };
  "phone:plan": {
    payload: PhonePlan;
    result: Nothing;
  };
  "phone:withdraw": {
    payload: Nothing;
    result: Nothing;
  };
  "phone:try": {
    payload: Nothing;
    result: Nothing;
  };
  "phone:call_me": {
    payload: Nothing;
    result: Nothing;
  };
  "phone:stop": {
    payload: Nothing;
    result: Nothing;
  };
  "phone:connect": {
    payload: Nothing;
    result: Nothing;
  };
  "phone:move_back": {
    payload: Nothing;
    result: Nothing;
  };
  "phone:keep": {
    payload: Nothing;
    result: Nothing;
  };
  "seat:call": {
    payload: OfNumber;
    result: Nothing;
  };
  "seat:stop_call": {
    payload: OfSeat;
    result: Nothing;
  };
  "seat:keep_on_phone": {
    payload: OfSeat;
    result: Nothing;
  };
  "seat:greet": {
    payload: OfSeat;
    result: Nothing;
  };
  "seat:let_in": {
    payload: OfSeat;
    result: Nothing;
  };
  "seat:confirm_voice": {
    payload: OfSeat;
    result: Nothing;
  };
  "seat:wrong_person": {
    payload: OfSeat;
    result: Nothing;
  };
  "seat:record_number": {
    payload: NumberOfSeat;
    result: Nothing;
  };
  "seat:address": {
    payload: OfSeat;
    result: AddressTold;
  };
  "seat:admit": {
    payload: OfDevice;
    result: Nothing;
  };
  "seat:deny": {
    payload: OfDevice;
    result: Nothing;
  };
  "seat:remove": {
    payload: OfSeat;
    result: Nothing;
  };
  "seat:send_back": {
    payload: OfSeat;
    result: Nothing;
  };
  "seat:let_back": {
    payload: OfSeat;
    result: Nothing;
  };
  "seat:message": {
    payload: Message;
    result: Nothing;
  };
  "seat:object": {
    payload: OfSeat;
    result: Nothing;
  };
  "seat:invite": {
    payload: Invitation;
    result: InvitationMade;
  };
}
/**
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "DeskSignals".
 */
export interface DeskSignals {
  "desk:admit": {
    payload: OfVisitDevice;
    result: Nothing;
  };
  "desk:deny": {
    payload: OfVisitDevice;
    result: Nothing;
  };
  "desk:remove": {
    payload: OfVisitSeat;
    result: Nothing;
  };
  "desk:send_back": {
    payload: OfVisitSeat;
    result: Nothing;
  };
  "desk:let_back": {
    payload: OfVisitSeat;
    result: Nothing;
  };
  "desk:message": {
    payload: VisitMessage;
    result: Nothing;
  };
  "desk:open": {
    payload: OfVisitSeat;
    result: LinkMade;
  };
  "desk:call": {
    payload: OfVisitNumber;
    result: Nothing;
  };
  "desk:stop_call": {
    payload: OfVisitSeat;
    result: Nothing;
  };
  "desk:keep_on_phone": {
    payload: OfVisitSeat;
    result: Nothing;
  };
  "desk:record_number": {
    payload: VisitNumber;
    result: Nothing;
  };
  "desk:address": {
    payload: OfVisitSeat;
    result: AddressTold;
  };
  "desk:renew": {
    payload: Nothing;
    result: Renewal;
  };
}
/**
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "VisitNews".
 */
export interface VisitNews {
  "visit:changed": Snapshot;
  "media:offer": MediaOffer;
  "media:state": MediaState;
  "session:ended": SessionOver;
}
/**
 * This interface was referenced by `Protocol`'s JSON-Schema
 * via the `definition` "DeskNews".
 */
export interface DeskNews {
  "desk:changed": DeskSnapshot;
  "session:ended": SessionOver;
}

/** How every signal is acknowledged. */
export type Ack<Result> = ({ ok: true } & Result) | { error: SignalError };
