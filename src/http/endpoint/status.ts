import { DbError } from "#base/errors.ts";
import { asDbError } from "../exchange/errors.ts";
import { callingNode, type Exchange } from "../exchange/exchange.ts";
import { emptyReply, jsonReply, type Reply, textReply } from "../exchange/reply.ts";
import type { NodeIdentity } from "../services.ts";
import { productHeaders } from "./product-headers.ts";

const PRODUCT_NAME = "Tidelake";
const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** GET /health: the process runs. It says nothing of the store; `/ready` does. */
export function health(): Reply {
  return textReply(200, "OK");
}

/** GET /ready: 200 when the node can serve, 503 with the reason when it cannot. */
export async function ready(exchange: Exchange): Promise<Reply> {
  try {
    await exchange.services.ready();
  } catch (error) {
    const reason = asDbError(error);
    if (reason.kind === "internal") throw reason;
    // Damage, too, keeps a node from serving, and the one who asks wants to know what else to send requests to.
    throw new DbError("unavailable", reason.code, reason.message, { cause: error });
  }
  return textReply(200, "OK");
}

/** GET or POST /ping: which program this is; in headers alone to those that expect what InfluxDB 1 answers. */
export function ping(exchange: Exchange): Reply {
  if (expectsNoContent(exchange)) return pingHead(exchange);
  const { version, processId } = exchange.services.identify();
  const value = { product_name: PRODUCT_NAME, version, revision: version, process_id: processId };
  return jsonReply(200, value, productHeaders(exchange));
}

/** HEAD /ping: as InfluxDB 1 answers it, which has no body for GET either. */
export function pingHead(exchange: Exchange): Reply {
  return emptyReply(204, productHeaders(exchange));
}

/**
 * Whether a ping comes from a client of InfluxDB 1 that takes another status than 204 for an error. Those of Python accept no JSON; that
 * of Go gives a parameter that only InfluxDB 1 had, or else its name alone.
 */
function expectsNoContent({ headers, query }: Exchange): boolean {
  if (new URLSearchParams(query).has("wait_for_leader")) return true;
  if (headers["user-agent"] === "InfluxDBClient") return true;
  const accepted = headers.accept ?? "";
  return accepted !== "" && !/\*\/\*|application\/(?:json|\*)/i.test(accepted);
}

/** GET /metrics: Prometheus text. */
export async function metrics(exchange: Exchange): Promise<Reply> {
  const body = await exchange.services.metrics();
  return { status: 200, headers: { "content-type": METRICS_CONTENT_TYPE }, body };
}

/** GET /api/v3/tidelake/node: another node asks who this is, also while this one starts. */
export function nodeIdentity(identity: NodeIdentity): Reply {
  return jsonReply(200, identity);
}

/** POST /api/v3/tidelake/refresh: another node says that the catalog has something new. It need not wait for what comes of it. */
export function refresh(exchange: Exchange): Reply {
  exchange.services.refresh(callingNode(exchange)).catch(() => undefined);
  return emptyReply(202);
}
