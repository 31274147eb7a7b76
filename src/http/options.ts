import type { AccessPolicy } from "#access/authorize.ts";
import type { PatienceLimits } from "#base/patience.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { Random } from "#ports/random.ts";
import type { Match } from "./router.ts";
import type { HttpServices, NodeIdentity } from "./services.ts";

export interface HttpServerOptions {
  /** Where to listen; port 0 takes any. */
  readonly host: string;
  readonly port: number;
  /** With it the port speaks TLS, and nothing else. */
  readonly tls?: ServerTls | undefined;
  /** What is known of this node while it starts. Afterwards `services` are asked. */
  readonly identity: NodeIdentity;
  /** What is asked of nobody. */
  readonly access: AccessPolicy;
  /** Where requests go; to the paths of the API unless given. */
  readonly findMatch?: (method: string, path: string) => Match;
  /** Bytes of a request's body, as sent and inflated. */
  readonly requestSizeMax: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Without them the node is starting, until `HttpServer.serve`. */
  readonly services?: HttpServices;
  readonly observe?: RequestObserver;
  readonly limits?: Partial<HttpLimits>;
}

/** What a server shows of itself, and how old a TLS it speaks. */
export interface ServerTls {
  /** PEM; those that lead to its authority may follow. */
  readonly certificate: string;
  /** PEM, without a passphrase. */
  readonly key: string;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
}

/** Called once for each request, when its answer is sent or its client gone. */
export type RequestObserver = (request: ObservedRequest) => void;

export interface ObservedRequest {
  readonly method: string;
  /** The path of the route; one word for all paths that have none. */
  readonly route: string;
  /** The status sent; 499 when the client left before, 500 when the answer broke off. */
  readonly status: number;
  readonly outcome: "ok" | "client_error" | "server_error";
  readonly durationMs: number;
  /** Bytes of the answer's body. */
  readonly answerSizeBytes: number;
}

/** Bounds on what clients can take of a node. Times in milliseconds. */
export interface HttpLimits extends PatienceLimits {
  /** Where more come, those that rest make room, longest first; then those whose bodies come too slowly. */
  readonly connectionCountMax: number;
  /** Requests that run at once over one connection of HTTP/2. */
  readonly streamCountMax: number;
  /** Bytes that the bodies of all requests together may hold; one body of the allowed size always fits. */
  readonly bodiesSizeMax: number;
  /** From a request's first byte to the end of its headers, and to the end of its body; over HTTP/2, and of a call's messages, from when they are wanted. */
  readonly headersMsMax: number;
  readonly requestMsMax: number;
  /** Between two pieces of a body. */
  readonly bodyStallMsMax: number;
  /** A body that took longer and comes slowly gives way to others where memory for bodies or room for connections is short. */
  readonly bodySlowMs: number;
  /** Between two requests of a connection. */
  readonly idleMsMax: number;
  /** How long a stop waits for requests that run. */
  readonly stopMsMax: number;
}

export const HTTP_LIMITS: HttpLimits = {
  connectionCountMax: 4096,
  streamCountMax: 100,
  bodiesSizeMax: 256 * 1024 * 1024,
  headersMsMax: 20_000,
  requestMsMax: 300_000,
  bodyStallMsMax: 30_000,
  bodySlowMs: 5_000,
  answerGraceMs: 30_000,
  answerRateMin: 4 * 1024,
  // A client of 10 kB/s on this machine takes nothing for 150 s, as it seems here, while buffers of 4 MiB empty.
  answerStallMsMax: 240_000,
  idleMsMax: 75_000,
  stopMsMax: 10_000,
};

export const HEADER_COUNT_MAX = 100;
export const HEADERS_SIZE_MAX = 16 * 1024;
