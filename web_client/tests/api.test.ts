import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it, vi } from "vitest";
import { openDesk, openSession } from "../src/net/api";

const PATIENT = 5_000;
const browserFetch = fetch;
let server: Server | undefined;

afterEach(() => {
  vi.unstubAllGlobals();
  server?.closeAllConnections();
  server?.close();
});

async function served(handle: RequestListener): Promise<void> {
  const made = createServer(handle);
  server = made;
  await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve));
  const { port } = made.address() as AddressInfo;
  vi.stubGlobal("fetch", (path: string, rest: RequestInit) =>
    browserFetch(`http://127.0.0.1:${port}${path}`, rest),
  );
}

it("tells a server that hangs from one that is not there", async () => {
  await served(() => undefined);
  expect(await openSession("code", 50)).toEqual({ kind: "silent" });
  server?.closeAllConnections();
  server?.close();
  expect(await openSession("code", PATIENT)).toEqual({ kind: "unreachable" });
});

it("does not wait for ever for the rest of an answer", async () => {
  await served((_request, response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.write("{");
  });
  expect(await openDesk("code", 50)).toEqual({ kind: "silent" });
});

it("takes a proxy's own page for no answer", async () => {
  await served((_request, response) => {
    response.writeHead(502, { "Content-Type": "text/html" });
    response.end("<h1>Bad gateway</h1>");
  });
  expect(await openDesk("code", PATIENT)).toEqual({ kind: "unreachable" });
});

it("tells the status of a refusal, whatever its body claims", async () => {
  await served((_request, response) => {
    response.writeHead(503, { "Content-Type": "application/problem+json" });
    response.end(JSON.stringify({ code: "not_owner", status: 200, retry_after: 1 }));
  });
  expect(await openSession("code", PATIENT)).toEqual({
    kind: "refused",
    problem: { code: "not_owner", status: 503, retry_after: 1 },
  });
});
