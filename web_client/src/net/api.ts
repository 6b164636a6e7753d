import type { DeskReply, Problem, SessionReply } from "../protocol";

/** What came of a request: a reply, the server's reasoned refusal, or no server at all. */
export type Outcome<Reply> =
  | { kind: "reply"; reply: Reply }
  | { kind: "refused"; problem: Problem }
  | { kind: "unreachable" };

async function post<Reply>(path: string, code: string): Promise<Outcome<Reply>> {
  try {
    const response = await fetch(path, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ code }),
    });
    const body: unknown = await response.json();
    if (response.ok) return { kind: "reply", reply: body as Reply };
    return { kind: "refused", problem: { ...(body as Problem), status: response.status } };
  } catch {
    return { kind: "unreachable" }; // no network, or a proxy's page where JSON should be
  }
}

/** Opens a seat's link. The cookie it sets makes the next call come from the same device. */
export function openSession(code: string): Promise<Outcome<SessionReply>> {
  return post("/v1/sessions", code);
}

/** The last word of a page that closes: sent even when nothing else of it runs any more. */
export function sayGoodbye(token: string): void {
  const body = new Blob([JSON.stringify({ token })], { type: "application/json" });
  navigator.sendBeacon("/v1/goodbye", body);
}

/** Opens a desk's link. */
export function openDesk(code: string): Promise<Outcome<DeskReply>> {
  return post("/v1/desk/sessions", code);
}
