import type { Person, Snapshot, Waiting } from "../protocol";
import { isWaiting, type JoinState, screenOf } from "./join";

/** Something just happened that a person who is not looking must learn: said, and maybe sounded. */
export type Cue =
  | { kind: "admitted" }
  | { kind: "sentBack" }
  | { kind: "message"; text: string }
  | { kind: "arrived"; name: string }
  | { kind: "entered"; name: string }
  | { kind: "gone"; name: string }
  | { kind: "calling"; name: string }
  | { kind: "joining"; name: string }
  | { kind: "onPhone"; name: string }
  | { kind: "offPhone"; name: string }
  | { kind: "videoBack" }
  | { kind: "muted" }
  | { kind: "unmuted" };

function waitingKey(person: Waiting): string {
  return `${person.seat}/${person.device}`;
}

function arrivals(before: Snapshot, after: Snapshot): Cue[] {
  const known = new Set(before.waiting.map(waitingKey));
  return after.waiting
    .filter((person) => !known.has(waitingKey(person)))
    .map((person) => ({ kind: "arrived", name: person.name || person.said_name }));
}

function comings(before: Snapshot, after: Snapshot): Cue[] {
  const was = new Map(before.people.map((person) => [person.seat, person.name]));
  const is = new Map(after.people.map((person) => [person.seat, person.name]));
  const entered = [...is].filter(([seat]) => !was.has(seat));
  const gone = [...was].filter(([seat]) => !is.has(seat));
  return [
    ...entered.map(([, name]): Cue => ({ kind: "entered", name })),
    ...gone.map(([, name]): Cue => ({ kind: "gone", name })),
  ];
}

/** How others are connected. Staff read the story itself, as it happens. */
function waysOf(before: Snapshot, after: Snapshot): Cue[] {
  const was = new Map(before.people.map((person) => [person.seat, person.way]));
  return after.people.flatMap((person): Cue[] => {
    const kind = wayCue(was.get(person.seat) ?? person.way, person);
    return kind ? [{ kind, name: person.name }] : [];
  });
}

function wayCue(before: Person["way"], { way, line }: Person) {
  if (way === before) return null;
  if (way === "joining") return "joining";
  if (before === "phone" && way === "browser") return "offPhone";
  if (line) return null;
  if (way === "calling") return "calling";
  return way === "phone" ? "onPhone" : null;
}

/** On the telephone, one does not look at the page: worth a sound. */
function ownLine(before: Snapshot, after: Snapshot): Cue[] {
  const back = after.me.line.state === "recovering" && !after.me.line.kept;
  return back && before.me.line.state === "bridged" ? [{ kind: "videoBack" }] : [];
}

function messages(before: Snapshot, after: Snapshot): Cue[] {
  const last = before.me.notices.at(-1)?.id ?? Number.NEGATIVE_INFINITY;
  return after.me.notices
    .filter((notice) => notice.id > last)
    .map((notice) => ({ kind: "message", text: notice.text }));
}

function steps(before: Snapshot, after: Snapshot): Cue[] {
  if (!before.me.inside && after.me.inside) return [{ kind: "admitted" }];
  if (before.me.inside && isWaiting(after)) return [{ kind: "sentBack" }];
  return [];
}

function microphone(before: Snapshot, after: Snapshot): Cue[] {
  if (!after.me.inside || before.me.microphone === after.me.microphone) return [];
  return [{ kind: after.me.microphone ? "unmuted" : "muted" }];
}

/** What happened between two views. The first view of a page is news to nobody. */
export function cuesBetween(before: Snapshot | null, after: Snapshot | null): Cue[] {
  if (!before || !after || before === after) return [];
  const inside = before.me.inside && after.me.inside;
  return [
    ...steps(before, after),
    ...messages(before, after),
    ...arrivals(before, after),
    ...(inside ? comings(before, after) : []),
    ...(inside ? waysOf(before, after) : []),
    ...ownLine(before, after),
    ...microphone(before, after),
  ];
}

/** Whether the screen must stay lit: somebody waits or is in the visit. */
export function keepsAwake(state: JoinState): boolean {
  const screen = screenOf(state);
  return screen === "waiting" || screen === "visit";
}
