/** Stands between a node and a server of objects, and spoils some of the answers, as networks and busy stores do. */
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
  request as sendRequest,
} from "node:http";
import type { Random } from "#ports/random.ts";
import { machineClock } from "../http.ts";

export const STORE_FAULTS = [
  "contended",
  "cut",
  "lost",
  "refused",
  "silent",
  "slow",
  "throttled",
  "truncated",
] as const;
export type StoreFault = (typeof STORE_FAULTS)[number];

export interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** How often each fault happened. */
  readonly counts: Readonly<Record<StoreFault, number>>;
  /** Of how many requests one is spoilt. */
  faultOneOf: number;
}

const SLOW_MS = 300;

/** A proxy of the server at `target` that spoils requests by chance. */
export async function startFaultProxy(
  target: string,
  random: Random,
  faultOneOf: number,
): Promise<FaultProxy> {
  const counts = {
    contended: 0,
    cut: 0,
    lost: 0,
    refused: 0,
    silent: 0,
    slow: 0,
    throttled: 0,
    truncated: 0,
  };
  const server = createServer((request, response) => {
    // A connection that breaks is what this is for.
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the port has no number");
  const proxy = {
    endpoint: `http://127.0.0.1:${address.port}`,
    counts,
    faultOneOf,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request);
    const fault = chooseFault(request, random, proxy.faultOneOf);
    if (fault !== undefined) counts[fault] += 1;
    if (fault === "refused") return refuse(response, 503, "SlowDown");
    if (fault === "throttled") return refuse(response, 429, "TooManyRequests");
    if (fault === "contended") return refuse(response, 409, "ConditionalRequestConflict");
    if (fault === "slow") await machineClock.sleep(SLOW_MS);
    const found = await forward(target, request, body);
    // From here on the server has done what it was asked.
    if (fault === "silent") return;
    if (fault === "cut") return void response.destroy();
    if (fault === "lost") return refuse(response, 500, "InternalError");
    response.writeHead(found.status, found.headers);
    if (fault !== "truncated") return void response.end(found.body);
    response.write(found.body.subarray(0, found.body.length / 2), () => response.destroy());
  }

  return proxy;
}

/** A fault that can happen to `request`; mostly none. */
function chooseFault(
  { headers, method }: IncomingMessage,
  random: Random,
  faultOneOf: number,
): StoreFault | undefined {
  if (random.next() * faultOneOf >= 1) return undefined;
  const possible = STORE_FAULTS.filter((fault) => {
    if (fault === "contended") return headers["if-none-match"] !== undefined;
    return fault !== "truncated" || method === "GET";
  });
  return possible[Math.floor(random.next() * possible.length)];
}

interface Found {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

async function forward(target: string, request: IncomingMessage, body: Buffer): Promise<Found> {
  const { headers, method, url = "/" } = request;
  // The body is here already; nobody has to be asked whether it may come.
  const { expect: _, ...rest } = headers;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  sendRequest(new URL(url, target), { method, headers: rest }, resolve)
    .once("error", reject)
    .end(body);
  const answer = await promise;
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await readAll(answer) };
}

function refuse(response: ServerResponse, status: number, code: string): void {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>a fault of the test</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml", "content-length": body.length });
  response.end(body);
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
