import { DbError } from "#base/errors.ts";
import type { NodeConfig } from "./config.ts";

/** Runs a node until SIGTERM or SIGINT; resolves with the exit code. */
export async function runNode(
  config: NodeConfig,
  io: { out(line: string): void; error(line: string): void },
): Promise<number> {
  io.error(`node ${config.nodeId} is not started`);
  await Promise.resolve();
  throw new DbError("unsupported", "serve_unsupported", "this build holds no server");
}
