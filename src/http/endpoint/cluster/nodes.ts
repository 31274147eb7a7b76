import type { Exchange } from "../../exchange/exchange.ts";
import { jsonParameters } from "../../exchange/parameters.ts";
import { emptyReply, type Reply } from "../../exchange/reply.ts";

/** POST /api/v3/enterprise/configure/node/stop. It need not wait for the end of that node; system.nodes shows it. */
export async function stopNode(exchange: Exchange): Promise<Reply> {
  const parameters = await jsonParameters(exchange);
  await exchange.services.stopNode(parameters.requiredText("node_id"));
  return emptyReply(200);
}

/** POST /api/v3/enterprise/configure/node/remove. `force_finalize` is taken and changes nothing: no row is lost without it either. */
export async function removeNode(exchange: Exchange): Promise<Reply> {
  const parameters = await jsonParameters(exchange);
  parameters.boolean("force_finalize", false);
  await exchange.services.removeNode(parameters.requiredText("node_id"));
  return emptyReply(200);
}
