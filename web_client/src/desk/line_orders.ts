import type { LineDeed, Reader } from "../state/lines";
import type { LineOrders } from "../ui/line_story";
import type { DeskApp } from "./app";

const SIGNALS: Partial<Record<LineDeed, "desk:stop_call" | "desk:keep_on_phone">> = {
  no_call: "desk:stop_call",
  stop: "desk:stop_call",
  hang_up: "desk:stop_call",
  keep: "desk:keep_on_phone",
};

/** Nobody at a desk is in the visit, and so nobody there speaks with a telephone. */
export const AT_DESK: Reader = { seat: "", greets: false };

/** What the desk orders about the connection of somebody in one of the practice's visits. */
export function deskLineOrders(app: DeskApp, visit: string, seat: string): LineOrders {
  const target = { visit, seat };
  return {
    call: (number = "") => void app.attempt("desk:call", { ...target, number }),
    perform: (deed) => {
      const signal = SIGNALS[deed];
      if (signal) void app.attempt(signal, target);
    },
    address: async () => {
      const answer = await app.ask("desk:address", target);
      return "ok" in answer ? answer.address : null;
    },
    record: async (number) => {
      const answer = await app.ask("desk:record_number", { ...target, ...number });
      return "ok" in answer ? null : answer.error.code;
    },
  };
}
