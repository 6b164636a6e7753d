import type { DeskVisit, Me, Person, Snapshot, Waiting } from "../src/protocol";

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

export function person(seat: string, name: string): Person {
  return {
    seat,
    name,
    role: "provider",
    relationship: "",
    admission: "present",
    microphone: true,
    camera: true,
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
