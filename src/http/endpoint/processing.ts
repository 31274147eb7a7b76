import { DbError } from "#base/errors.ts";
import type { Exchange } from "../exchange/exchange.ts";

/** Triggers, plugins and their packages: any node is asked for these. */
export function configureProcessing(): never {
  throw notBuilt("triggers and plugins");
}

/** What runs a plugin: `/api/v3/engine/…` and dry runs, which nodes with mode `process` are asked for. */
export function runPlugin(exchange: Exchange): never {
  exchange.services.requireProcessing();
  throw notBuilt("the processing engine");
}

function notBuilt(what: string): DbError {
  return new DbError(
    "unsupported",
    "processing_unsupported",
    `not supported in this version: ${what}`,
  );
}
