import { DbError } from "#base/errors.ts";
import { INTERNAL_DATABASE } from "#model/database-name.ts";
import type { NodeMode } from "../config.ts";

/** Throws `unsupported` / `mode_missing` where `modes` do not have `mode`. */
export function requireMode(modes: readonly NodeMode[], mode: NodeMode): void {
  if (modes.includes(mode)) return;
  throw new DbError(
    "unsupported",
    "mode_missing",
    `this node does not run in mode ${mode}: ask one that does (system.nodes lists them)`,
    { detail: { mode } },
  );
}

/** Throws `invalid` / `database_internal`. */
export function refuseInternal(database: string): void {
  if (database !== INTERNAL_DATABASE) return;
  throw new DbError("invalid", "database_internal", "cannot modify internal db");
}

/** That this process was replaced is no conflict of the client's: another one takes the request. */
export function answerFenced(error: unknown): never {
  if (!(error instanceof DbError) || error.code !== "node_fenced") throw error;
  throw new DbError(
    "unavailable",
    "node_replaced",
    "this process has been replaced by another with its node-id: whether the request was carried out is not known, send it again",
    { cause: error },
  );
}
