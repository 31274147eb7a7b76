import { decodeOfficeAsk } from "#compaction/office/office-call.ts";
import { callingNode, type Exchange } from "../exchange/exchange.ts";
import { jsonReply, type Reply } from "../exchange/reply.ts";

/** POST /api/v3/tidelake/office: a compact node that stands by asks which term this one is in. */
export async function office(exchange: Exchange): Promise<Reply> {
  const ask = decodeOfficeAsk(await exchange.readBody());
  return jsonReply(200, exchange.services.answerOffice({ ...ask, node: callingNode(exchange) }));
}
