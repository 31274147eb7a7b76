import type { Exchange } from "../exchange/exchange.ts";
import { requestId } from "../exchange/request-id.ts";

/** Which of the two InfluxDB 3 has: clients look up here what they may ask for. */
const BUILD = "Enterprise";

/** By which clients of InfluxDB know what answered, and its users which answer it was. */
export function productHeaders(exchange: Exchange): Readonly<Record<string, string>> {
  const id = requestId(exchange.clock, exchange.random);
  return {
    "x-influxdb-version": exchange.services.identify().version,
    "x-influxdb-build": BUILD,
    "request-id": id,
    "x-request-id": id,
  };
}
