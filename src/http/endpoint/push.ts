import { decodeStandingAsk } from "#lifecycle/contact/standing.ts";
import { decodePush } from "#lifecycle/pusher.ts";
import { callingNode, type Exchange } from "../exchange/exchange.ts";
import { emptyReply, jsonReply, type Reply } from "../exchange/reply.ts";

/** POST /api/v3/tidelake/push: another node says how far its log goes. It need not wait for what comes of it. */
export async function push(exchange: Exchange): Promise<Reply> {
  const said = decodePush(await exchange.readBody());
  exchange.services.hearPush({ ...said, node: callingNode(exchange) });
  return emptyReply(202);
}

/** POST /api/v3/tidelake/standing: another node asks how far the logs go. */
export async function standing(exchange: Exchange): Promise<Reply> {
  const ask = decodeStandingAsk(await exchange.readBody());
  const answer = exchange.services.answerStanding({ ...ask, node: callingNode(exchange) });
  return jsonReply(200, answer);
}
