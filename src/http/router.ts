import type { Action } from "#access/authorize.ts";
import { OFFICE_PATH } from "#compaction/office/office-call.ts";
import { STANDING_PATH } from "#lifecycle/contact/standing.ts";
import { PUSH_PATH } from "#lifecycle/pusher.ts";
import { removeNode, stopNode } from "./endpoint/cluster/nodes.ts";
import {
  clearDatabaseRetention,
  createDatabase,
  deleteDatabase,
  listDatabases,
  setDatabaseRetention,
  updateDatabase,
} from "./endpoint/configure/databases.ts";
import {
  resetQueryLimit,
  setQueryLimit,
  showQueryLimit,
} from "./endpoint/configure/query-limit.ts";
import {
  clearTableRetention,
  createTable,
  deleteTable,
  extendTable,
  setTableRetention,
  updateTable,
} from "./endpoint/configure/tables.ts";
import { deleteV2 } from "./endpoint/delete.ts";
import { office } from "./endpoint/office.ts";
import { configureProcessing, runPlugin } from "./endpoint/processing.ts";
import { push, standing } from "./endpoint/push.ts";
import {
  queryInfluxQlGet,
  queryInfluxQlPost,
  querySqlGet,
  querySqlPost,
} from "./endpoint/query/query.ts";
import {
  health,
  metrics,
  nodeIdentity,
  ping,
  pingHead,
  ready,
  refresh,
} from "./endpoint/status.ts";
import {
  createAdminToken,
  createOperatorToken,
  createResourceToken,
  deleteToken,
  recoverOperatorToken,
  replaceOperatorToken,
} from "./endpoint/tokens.ts";
import { queryV1Get, queryV1Post } from "./endpoint/v1/query.ts";
import { writeV1 } from "./endpoint/v1/write.ts";
import { writeLineProtocol, writeV2 } from "./endpoint/write.ts";
import {
  type ErrorStyle,
  errorReply,
  errorReplyPlain,
  errorReplyV1,
  errorReplyV2,
} from "./exchange/errors.ts";
import type { Exchange } from "./exchange/exchange.ts";
import { emptyReply, jsonReply, type Reply, textReply } from "./exchange/reply.ts";
import type { NodeIdentity } from "./services.ts";

/** What answers one method of one path. */
export type Endpoint = (exchange: Exchange) => Reply | Promise<Reply>;

export interface Route {
  /** What whoever sends a request must be allowed to do. */
  readonly needs: Action;
  /** Whether it answers the paths below its own as well. */
  readonly withPathsBelow?: boolean;
  /** Whether the token may come as the parameter `p`, as in InfluxDB 1. */
  readonly tokenParameter?: boolean;
  readonly methods: Readonly<Partial<Record<string, Endpoint>>>;
  /** Answers the other methods; without it they are not found. */
  readonly otherMethods?: Endpoint;
  /** How errors are written; as the native API does unless said. */
  readonly errorStyle?: ErrorStyle;
}

/** What is answered while the node starts as well, if it is open to everybody: without services. */
type EarlyEndpoint = (identity: NodeIdentity) => Reply;

interface EarlyRoute {
  readonly needs: Action;
  readonly endpoint: EarlyEndpoint;
}

/** Tokens are made and deleted at the same paths under either prefix. */
const TOKEN_PREFIXES = ["/api/v3/configure/token", "/api/v3/enterprise/configure/token"];
const TOKEN_PATHS = TOKEN_PREFIXES.flatMap((path): [string, Route][] => [
  [path, { needs: "manage_tokens", methods: { POST: createResourceToken, DELETE: deleteToken } }],
  // The first token is for whoever asks first; later ones ask in vain.
  [`${path}/admin`, { needs: "open", methods: { POST: createOperatorToken } }],
  [
    `${path}/admin/regenerate`,
    { needs: "replace_operator_token", methods: { POST: replaceOperatorToken } },
  ],
  [`${path}/named_admin`, { needs: "manage_tokens", methods: { POST: createAdminToken } }],
]);

/** What sets the processing engine up, asked of any node; and what runs plugins. */
const PROCESSING_PATHS = [
  ...[
    "/api/v3/configure/processing_engine_trigger",
    "/api/v3/configure/processing_engine_trigger/enable",
    "/api/v3/configure/processing_engine_trigger/disable",
    "/api/v3/configure/plugin_environment/install_packages",
    "/api/v3/configure/plugin_environment/install_requirements",
    "/api/v3/plugins/files",
    "/api/v3/plugins/directory",
  ].map((path): [string, Route] => [
    path,
    {
      needs: "configure",
      methods: { POST: configureProcessing, PUT: configureProcessing, DELETE: configureProcessing },
    },
  ]),
  ...["/api/v3/plugin_test/wal", "/api/v3/plugin_test/schedule"].map((path): [string, Route] => [
    path,
    { needs: "run_plugins", methods: { POST: runPlugin } },
  ]),
];

/** Every path but those of EARLY_ROUTES. */
export const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/api/v3/write_lp", { needs: "write", methods: { POST: writeLineProtocol } }],
  ["/write", { needs: "write", tokenParameter: true, methods: { POST: writeV1 } }],
  ["/api/v2/write", { needs: "write", methods: { POST: writeV2 }, errorStyle: errorReplyV2 }],
  ["/api/v2/delete", { needs: "write", methods: { POST: deleteV2 }, errorStyle: errorReplyV2 }],
  [
    "/api/v3/query_sql",
    {
      needs: "query",
      methods: { GET: querySqlGet, POST: querySqlPost },
      otherMethods: unsupportedMethod,
    },
  ],
  [
    "/api/v3/query_influxql",
    {
      needs: "query",
      methods: { GET: queryInfluxQlGet, POST: queryInfluxQlPost },
      otherMethods: unsupportedMethod,
    },
  ],
  [
    "/query",
    {
      needs: "query",
      tokenParameter: true,
      methods: { GET: queryV1Get, POST: queryV1Post },
      otherMethods: unsupportedMethod,
      errorStyle: errorReplyV1,
    },
  ],
  [
    "/api/v3/configure/database",
    {
      needs: "configure",
      methods: {
        GET: listDatabases,
        POST: createDatabase,
        PUT: updateDatabase,
        DELETE: deleteDatabase,
      },
      errorStyle: errorReplyPlain,
    },
  ],
  [
    "/api/v3/configure/database/retention_period",
    {
      needs: "configure",
      methods: { POST: setDatabaseRetention, DELETE: clearDatabaseRetention },
      errorStyle: errorReplyPlain,
    },
  ],
  [
    "/api/v3/configure/table",
    {
      needs: "configure",
      methods: { POST: createTable, PUT: updateTable, PATCH: extendTable, DELETE: deleteTable },
      errorStyle: errorReplyPlain,
    },
  ],
  [
    "/api/v3/enterprise/configure/table/retention_period",
    {
      needs: "configure",
      methods: { POST: setTableRetention, DELETE: clearTableRetention },
      errorStyle: errorReplyPlain,
    },
  ],
  [
    "/api/v3/configure/query_concurrency_limit",
    {
      needs: "configure",
      methods: {
        GET: showQueryLimit,
        PUT: setQueryLimit,
        POST: setQueryLimit,
        DELETE: resetQueryLimit,
      },
    },
  ],
  ...TOKEN_PATHS,
  ["/api/v3/enterprise/configure/node/stop", { needs: "configure", methods: { POST: stopNode } }],
  [
    "/api/v3/enterprise/configure/node/remove",
    { needs: "configure", methods: { POST: removeNode } },
  ],
  ...PROCESSING_PATHS,
  [
    "/api/v3/engine",
    { needs: "run_plugins", methods: { GET: runPlugin, POST: runPlugin }, withPathsBelow: true },
  ],
  ["/ready", { needs: "see_health", methods: { GET: ready } }],
  ["/ping", { needs: "see_version", methods: { GET: ping, HEAD: pingHead, POST: ping } }],
  ["/metrics", { needs: "see_metrics", methods: { GET: metrics } }],
  ["/api/v3/tidelake/refresh", { needs: "call_node", methods: { POST: refresh } }],
  [PUSH_PATH, { needs: "call_node", methods: { POST: push } }],
  [STANDING_PATH, { needs: "call_node", methods: { POST: standing } }],
  [OFFICE_PATH, { needs: "call_node", methods: { POST: office } }],
]);

/** Answered to GET. Who a node is, others must learn before they know its cluster's secret: docs/decisions/0012. */
export const EARLY_ROUTES: ReadonlyMap<string, EarlyRoute> = new Map<string, EarlyRoute>([
  ["/health", { needs: "see_health", endpoint: health }],
  ["/api/v1/health", { needs: "see_health", endpoint: health }],
  ["/api/v3/tidelake/node", { needs: "open", endpoint: nodeIdentity }],
]);

const TREES = [...ROUTES].filter(([, { withPathsBelow }]) => withPathsBelow === true);

/** The route label of a path that is none of ours: observers count such paths as one. */
export const UNMATCHED_ROUTE = "unmatched";

/** Where a request goes. */
export interface Match {
  /** The path of the route, or UNMATCHED_ROUTE. */
  readonly route: string;
  readonly errorStyle: ErrorStyle;
  readonly needs: Action;
  readonly tokenParameter: boolean;
  /** Set when the answer needs no services. */
  readonly early?: EarlyEndpoint;
  readonly endpoint: Endpoint;
}

/** The endpoint for `method` of `path`; one that answers `not found` where there is none. */
export function findMatch(method: string, path: string): Match {
  if (method === "OPTIONS") {
    return { ...NOT_FOUND, route: knownPath(path), needs: "open", early: preflight };
  }
  const early = EARLY_ROUTES.get(path);
  if (early !== undefined) {
    const { needs, endpoint } = early;
    if (method !== "GET") return { ...NOT_FOUND, route: path };
    return { ...NOT_FOUND, route: path, needs, early: endpoint };
  }
  const tree = TREES.find(([root]) => path.startsWith(`${root}/`));
  const [root, route] = tree ?? [path, ROUTES.get(path)];
  if (route === undefined) return NOT_FOUND;
  return {
    route: root,
    errorStyle: route.errorStyle ?? errorReply,
    needs: route.needs,
    tokenParameter: route.tokenParameter ?? false,
    endpoint: route.methods[method] ?? route.otherMethods ?? notFound,
  };
}

/** As `findMatch`, at the address for those who have lost the operator's token: nothing else is there. */
export function findRecoveryMatch(method: string, path: string): Match {
  const isRoute = TOKEN_PREFIXES.some((prefix) => path === `${prefix}/admin/regenerate`);
  if (!isRoute || method !== "POST") return { ...NOT_FOUND, needs: "open" };
  return { ...NOT_FOUND, route: path, needs: "open", endpoint: recoverOperatorToken };
}

const NOT_FOUND: Match = {
  route: UNMATCHED_ROUTE,
  errorStyle: errorReply,
  needs: "look_around",
  tokenParameter: false,
  endpoint: notFound,
};

function knownPath(path: string): string {
  return ROUTES.has(path) || EARLY_ROUTES.has(path) ? path : UNMATCHED_ROUTE;
}

function notFound(): Reply {
  return textReply(404, "not found");
}

function unsupportedMethod(): Reply {
  return jsonReply(405, { error: "unsupported method", data: null }, { allow: "GET, POST" });
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
