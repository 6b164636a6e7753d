import type { DeskReply, Problem, SessionReply } from "../protocol";

/** What came of a request: a reply, the server's reasoned refusal, nothing in time, or no server. */
export type Outcome<Reply> =
  | { kind: "reply"; reply: Reply }
  | { kind: "refused"; problem: Problem }
  | { kind: "silent" }
  | { kind: "unreachable" };

async function post<Reply>(path: string, code: string, within: number): Promise<Outcome<Reply>> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), within);
  try {
    const response = await fetch(path, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ code }),
      signal: patience.signal,
    });
    const body: unknown = await response.json();
    if (response.ok) return { kind: "reply", reply: body as Reply };
    return { kind: "refused", problem: { ...(body as Problem), status: response.status } };
  } catch {
    if (patience.signal.aborted) return { kind: "silent" };
    return { kind: "unreachable" }; // no network, or a proxy's page where JSON should be
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Opens a seat's link; `within` is in milliseconds. The cookie it sets makes the next call come
 * from the same device.
 */
export function openSession(code: string, within: number): Promise<Outcome<SessionReply>> {
  return post("/v1/sessions", code, within);
}

/** The last word of a page that closes: sent even when nothing else of it runs any more. */
export function sayGoodbye(token: string): void {
  const body = new Blob([JSON.stringify({ token })], { type: "application/json" });
  navigator.sendBeacon("/v1/goodbye", body);
}

/** Opens a desk's link; `within` is in milliseconds. */
export function openDesk(code: string, within: number): Promise<Outcome<DeskReply>> {
  return post("/v1/desk/sessions", code, within);
}
