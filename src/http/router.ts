import { PUSH_PATH } from "#lifecycle/pusher.ts";
import {
  createDatabase,
  deleteDatabase,
  listDatabases,
  updateDatabase,
} from "./endpoint/databases.ts";
import { push } from "./endpoint/push.ts";
import { querySqlGet, querySqlPost } from "./endpoint/query.ts";
import { resetQueryLimit, setQueryLimit, showQueryLimit } from "./endpoint/query-limit.ts";
import { health, metrics, nodeIdentity, ping, ready, refresh } from "./endpoint/status.ts";
import { writeLineProtocol, writeV1, writeV2 } from "./endpoint/write.ts";
import { type ErrorStyle, errorReply, errorReplyV2 } from "./exchange/errors.ts";
import type { Exchange } from "./exchange/exchange.ts";
import { emptyReply, jsonReply, type Reply, textReply } from "./exchange/reply.ts";
import type { NodeIdentity } from "./services.ts";

/** What answers one method of one path. */
export type Endpoint = (exchange: Exchange) => Reply | Promise<Reply>;

export interface Route {
  readonly methods: Readonly<Partial<Record<string, Endpoint>>>;
  /** Answers the other methods; without it they are not found. */
  readonly otherMethods?: Endpoint;
  /** How errors are written; as the native API does unless said. */
  readonly errorStyle?: ErrorStyle;
}

/** What is answered while the node starts as well: without services. */
type EarlyEndpoint = (identity: NodeIdentity) => Reply;

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/api/v3/write_lp", { methods: { POST: writeLineProtocol } }],
  ["/write", { methods: { POST: writeV1 } }],
  ["/api/v2/write", { methods: { POST: writeV2 }, errorStyle: errorReplyV2 }],
  [
    "/api/v3/query_sql",
    { methods: { GET: querySqlGet, POST: querySqlPost }, otherMethods: unsupportedMethod },
  ],
  [
    "/api/v3/configure/database",
    {
      methods: {
        GET: listDatabases,
        POST: createDatabase,
        PUT: updateDatabase,
        DELETE: deleteDatabase,
      },
    },
  ],
  [
    "/api/v3/configure/query_concurrency_limit",
    {
      methods: {
        GET: showQueryLimit,
        PUT: setQueryLimit,
        POST: setQueryLimit,
        DELETE: resetQueryLimit,
      },
    },
  ],
  ["/ready", { methods: { GET: ready } }],
  ["/ping", { methods: { GET: ping, POST: ping } }],
  ["/metrics", { methods: { GET: metrics } }],
  ["/api/v3/tidelake/refresh", { methods: { POST: refresh } }],
  [PUSH_PATH, { methods: { POST: push } }],
]);

/** Everything about tokens, which there are none of. */
const TOKENS_PATH = "/api/v3/configure/token";
const TOKENS_ROUTE: Route = { methods: { POST: withoutTokens, DELETE: withoutTokens } };

const EARLY_ROUTES: ReadonlyMap<string, EarlyEndpoint> = new Map<string, EarlyEndpoint>([
  ["/health", health],
  ["/api/v1/health", health],
  ["/api/v3/tidelake/node", nodeIdentity],
]);

/** The route label of a path that is none of ours: observers count such paths as one. */
export const UNMATCHED_ROUTE = "unmatched";

/** Where a request goes. */
export interface Match {
  /** The path of the route, or UNMATCHED_ROUTE. */
  readonly route: string;
  readonly errorStyle: ErrorStyle;
  /** Set when the answer needs no services. */
  readonly early?: EarlyEndpoint;
  readonly endpoint: Endpoint;
}

/** The endpoint for `method` of `path`; one that answers `not found` where there is none. */
export function findMatch(method: string, path: string): Match {
  if (method === "OPTIONS") {
    return { ...NOT_FOUND, route: knownPath(path), early: preflight };
  }
  const early = EARLY_ROUTES.get(path);
  if (early !== undefined) {
    return method === "GET" ? { ...NOT_FOUND, route: path, early } : { ...NOT_FOUND, route: path };
  }
  const ofTokens = path === TOKENS_PATH || path.startsWith(`${TOKENS_PATH}/`);
  const route = ofTokens ? TOKENS_ROUTE : ROUTES.get(path);
  if (route === undefined) return NOT_FOUND;
  return {
    route: ofTokens ? TOKENS_PATH : path,
    errorStyle: route.errorStyle ?? errorReply,
    endpoint: route.methods[method] ?? route.otherMethods ?? notFound,
  };
}

const NOT_FOUND: Match = { route: UNMATCHED_ROUTE, errorStyle: errorReply, endpoint: notFound };

function knownPath(path: string): string {
  return ROUTES.has(path) || EARLY_ROUTES.has(path) ? path : UNMATCHED_ROUTE;
}

function notFound(): Reply {
  return textReply(404, "not found");
}

function unsupportedMethod(): Reply {
  return jsonReply(405, { error: "unsupported method", data: null }, { allow: "GET, POST" });
}

/** As a server answers that was started without authorization. */
function withoutTokens(): Reply {
  return textReply(405, "endpoint disabled, started without auth");
}

/** Tells browsers that any page may ask. */
function preflight(): Reply {
  return emptyReply(204, {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "*",
    "access-control-allow-headers": "*",
    "access-control-max-age": "86400",
  });
}
