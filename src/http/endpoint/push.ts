import { decodePush } from "#lifecycle/pusher.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { emptyReply, type Reply } from "../exchange/reply.ts";

/** POST /api/v3/tidelake/push: another node says how far its log goes. It need not wait for what comes of it. */
export async function push(exchange: Exchange): Promise<Reply> {
  exchange.services.hearPush(decodePush(await exchange.readBody()));
  return emptyReply(202);
}
