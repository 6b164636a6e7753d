import type { DeskVisit, LineReport, Me, MyLine, Person, Snapshot, Waiting } from "../src/protocol";

const MY_LINE: MyLine = {
  state: "good",
  sound: "fine",
  since: null,
  number: "71",
  agreed: true,
  same_device: false,
  trial: false,
  other_phone: false,
  tried_at: null,
  why: null,
  stuck: null,
  joined: false,
  returning: false,
  kept: false,
};

/** One's own connection, good unless a test says otherwise. */
export function myLine(change: Partial<MyLine> = {}): MyLine {
  return { ...MY_LINE, ...change };
}

/** Somebody's connection as staff see it, good unless a test says otherwise. */
export function report(change: Partial<LineReport> = {}): LineReport {
  return {
    state: "good",
    sound: "fine",
    since: null,
    silent_since: null,
    next_call_at: null,
    page: true,
    trial: false,
    why: null,
    stuck: null,
    calls: 0,
    greeter: "",
    joined: false,
    voice_confirmed: false,
    kept: false,
    numbers: [{ id: "own", label: "", contact: false, agreed: true }],
    address: true,
    ...change,
  };
}

const ME: Me = {
  seat: "s1",
  device: "d1",
  role: "patient",
  name: "Maria Lopez",
  admission: "checking",
  standing: "holding",
  another_device: false,
  inside: false,
  microphone: true,
  camera: true,
  waiting_since: null,
  may: ["speak", "show", "hear"],
  notices: [],
  video_kbps: 1500,
  line: MY_LINE,
};

/** A view of a patient who checks their devices, with what a test changes. */
export function view(me: Partial<Me> = {}, rest: Partial<Snapshot> = {}): Snapshot {
  return {
    visit: "v1",
    session: "w1",
    revision: 1,
    now: 1000,
    stage: "open",
    starts_at: 1000,
    ends_at: 2000,
    host: "Dr Reyes",
    end_reason: null,
    calls_people: true,
    practice: { name: "Harbour Clinic", phone: "+1 555 0100" },
    people: [],
    waiting: [],
    seats: [],
    ...rest,
    me: { ...ME, ...me },
  };
}

export const WAITING: Partial<Me> = { admission: "waiting", waiting_since: 1000 };
export const INSIDE: Partial<Me> = { admission: "present", inside: true };

export function person(seat: string, name: string, change: Partial<Person> = {}): Person {
  return {
    seat,
    name,
    role: "provider",
    relationship: "",
    admission: "present",
    microphone: true,
    camera: true,
    way: "browser",
    line: null,
    ...change,
  };
}

export function waiting(seat: string, name: string, since = 1000, device = "d"): Waiting {
  return {
    seat,
    device,
    name,
    said_name: "",
    role: "family",
    relationship: "daughter",
    language: "en",
    needs: [],
    waiting_since: since,
    connected: true,
    another_device: false,
    by_phone: false,
  };
}

export function deskVisit(visit: string, change: Partial<DeskVisit> = {}): DeskVisit {
  return {
    visit,
    host: "Dr Reyes",
    stage: "open",
    starts_at: 1000,
    ends_at: 2000,
    seats: [],
    waiting: [],
    ...change,
  };
}
