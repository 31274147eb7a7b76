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
  "preceded",
  "refused",
  "silent",
  "slow",
  "stale",
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
  /** Whether a list that was answered a moment ago is answered so again, whatever happened since. */
  listsAreStale: boolean;
  /** Resolves when the next request comes that `wants` takes. That one gets no answer, and the server hears of it where `applied` says so. */
  trap(wants: (asked: Asked) => boolean, applied: boolean): Promise<void>;
}

export interface Asked {
  readonly method: string;
  /** With its query, decoded. */
  readonly path: string;
  readonly body: Buffer;
}

const SLOW_MS = 300;
/** For how long a list is answered as before. */
const STALE_MS_MAX = 2_000;
const LISTS_MAX = 1_000;
/** How the three clouds ask for a list, and for an object that is not there yet. */
const LIST_URL = /[?&](list-type=2|comp=list)(&|$)|\/o\?/;
const ABSENT_URL = /[?&]ifGenerationMatch=0(&|$)/;

type Refusal = readonly [status: number, code: string];

/** What is answered in place of doing what was asked. */
const REFUSED: Partial<Readonly<Record<StoreFault, Refusal>>> = {
  contended: [409, "ConditionalRequestConflict"],
  refused: [503, "SlowDown"],
  throttled: [429, "TooManyRequests"],
};
/** What is answered though it was done. */
const REFUSED_LATE: Partial<Readonly<Record<StoreFault, Refusal>>> = {
  lost: [500, "InternalError"],
  preceded: [412, "PreconditionFailed"],
};

interface Trap {
  readonly wants: (asked: Asked) => boolean;
  readonly applied: boolean;
  readonly caught: () => void;
}

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
    preceded: 0,
    refused: 0,
    silent: 0,
    slow: 0,
    stale: 0,
    throttled: 0,
    truncated: 0,
  };
  const lists = new RecentLists();
  let traps: readonly Trap[] = [];
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
    listsAreStale: false,
    trap(wants: Trap["wants"], applied: boolean) {
      const { promise, resolve: caught } = Promise.withResolvers<void>();
      traps = [...traps, { wants, applied, caught }];
      return promise;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request);
    const { method = "GET", url = "/" } = request;
    const asked = { method, path: decodeURIComponent(url), body };
    const trap = traps.find(({ wants }) => wants(asked));
    if (trap !== undefined) {
      traps = traps.filter((other) => other !== trap);
      if (trap.applied) await forward(target, request, body);
      return trap.caught();
    }
    const known = proxy.listsAreStale ? lists.find(request) : undefined;
    if (known !== undefined) {
      counts.stale += 1;
      return pass(response, known);
    }
    const fault = chooseFault(request, random, proxy.faultOneOf);
    if (fault !== undefined) counts[fault] += 1;
    if (fault !== undefined && REFUSED[fault] !== undefined)
      return refuse(response, REFUSED[fault]);
    if (fault === "slow") await machineClock.sleep(SLOW_MS);
    const found = await forward(target, request, body);
    lists.note(request, found);
    return fault === undefined ? pass(response, found) : spoil(response, fault, found);
  }

  return proxy;
}

/** Answers, or does not, what the server has done as it was asked. */
function spoil(response: ServerResponse, fault: StoreFault, found: Found): void {
  const refusal = REFUSED_LATE[fault];
  if (refusal !== undefined) refuse(response, refusal);
  else if (fault === "cut") response.destroy();
  else if (fault === "truncated") {
    response.writeHead(found.status, found.headers);
    response.write(found.body.subarray(0, found.body.length / 2), () => response.destroy());
  } else if (fault !== "silent") pass(response, found);
}

/** A fault that can happen to `request`; mostly none. */
function chooseFault(
  { headers, method, url = "/" }: IncomingMessage,
  random: Random,
  faultOneOf: number,
): StoreFault | undefined {
  if (random.next() * faultOneOf >= 1) return undefined;
  const possible = STORE_FAULTS.filter((fault) => {
    if (fault === "contended") return headers["if-none-match"] !== undefined;
    if (fault === "preceded") return headers["if-none-match"] !== undefined || ABSENT_URL.test(url);
    if (fault === "stale") return false;
    return fault !== "truncated" || method === "GET";
  });
  return possible[Math.floor(random.next() * possible.length)];
}

interface Found {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** The answers to lists of a short while ago. */
class RecentLists {
  readonly #found = new Map<string, { readonly found: Found; readonly atMs: number }>();

  find({ method, url = "/" }: IncomingMessage): Found | undefined {
    if (method !== "GET" || !LIST_URL.test(url)) return undefined;
    const recent = this.#found.get(url);
    if (recent === undefined || machineClock.monotonicMs() - recent.atMs > STALE_MS_MAX)
      return undefined;
    return recent.found;
  }

  note({ method, url = "/" }: IncomingMessage, found: Found): void {
    if (method !== "GET" || !LIST_URL.test(url) || found.status !== 200) return;
    if (this.#found.size >= LISTS_MAX) this.#found.clear();
    this.#found.set(url, { found, atMs: machineClock.monotonicMs() });
  }
}

function pass(response: ServerResponse, { body, headers, status }: Found): void {
  response.writeHead(status, headers);
  response.end(body);
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

function refuse(response: ServerResponse, [status, code]: Refusal): void {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>a fault of the test</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml", "content-length": body.length });
  response.end(body);
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
