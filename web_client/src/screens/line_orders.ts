import type { JoinApp } from "../join/app";
import type { Snapshot } from "../protocol";
import type { LineDeed, Reader } from "../state/lines";
import type { LineOrders } from "../ui/line_story";

const SIGNALS = {
  no_call: "seat:stop_call",
  stop: "seat:stop_call",
  hang_up: "seat:stop_call",
  greet: "seat:greet",
  let_in: "seat:let_in",
  confirm: "seat:confirm_voice",
  wrong: "seat:wrong_person",
  keep: "seat:keep_on_phone",
} as const satisfies Record<Exclude<LineDeed, "call">, string>;

/** What a clinician inside the visit orders about somebody's connection. */
export function lineOrders(app: JoinApp, seat: string): LineOrders {
  return {
    call: (number = "") => void app.attempt("seat:call", { seat, number }),
    perform: (deed) => void app.attempt(SIGNALS[deed], { seat }),
    address: async () => {
      const answer = await app.attempt("seat:address", { seat });
      return "ok" in answer ? answer.address : null;
    },
    record: async (number) => {
      const answer = await app.ask("seat:record_number", { seat, ...number });
      return "ok" in answer ? null : answer.error.code;
    },
  };
}

/** Who reads others' stories on this page. */
export function readerOf({ me }: Snapshot): Reader {
  return { seat: me.seat, greets: me.may.includes("greet") };
}
