import type { Exchange } from "../../exchange/exchange.ts";
import { Parameters } from "../../exchange/parameters.ts";
import { jsonReply, type Reply } from "../../exchange/reply.ts";

/** The name of the limit in bodies. */
const LIMIT = "query_concurrency_limit";

/** GET /api/v3/configure/query_concurrency_limit: how many queries run at once on this node, and may at most. */
export function showQueryLimit({ services }: Exchange): Reply {
  const { limit, limitMax } = services.queryConcurrency();
  return jsonReply(200, { [LIMIT]: limit, max_concurrent_queries: limitMax });
}

/** PUT or POST: another limit, until the node stops. Queries that run go on. */
export async function setQueryLimit(exchange: Exchange): Promise<Reply> {
  const parameters = Parameters.fromJson(await exchange.readBody());
  const limit = parameters.value(LIMIT);
  if (limit === undefined) throw parameters.wrong(`missing field \`${LIMIT}\``);
  if (typeof limit !== "bigint")
    throw parameters.wrong(`invalid value of \`${LIMIT}\`, expected a whole number`);
  exchange.services.limitQueryConcurrency(Number(limit));
  return showQueryLimit(exchange);
}

/** DELETE: the limit that the node was started with. */
export function resetQueryLimit(exchange: Exchange): Reply {
  exchange.services.limitQueryConcurrency(undefined);
  return showQueryLimit(exchange);
}
