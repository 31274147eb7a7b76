import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, Server } from "../scripts/long/server.ts";

export interface BenchFolder extends AsyncDisposable {
  readonly path: string;
  /** A node on this folder's store, not started yet. */
  node(nodeId: string, mode: string, options?: readonly string[]): Promise<Server>;
}

/** A folder for one run: the store, what nodes put beside it. It goes, and its nodes end, with the run. */
export async function benchFolder(): Promise<BenchFolder> {
  const path = await mkdtemp(join(tmpdir(), "tidelake-bench-"));
  const servers: Server[] = [];
  return {
    path,
    async node(nodeId, mode, options = []) {
      const directory = join(path, "store");
      const port = await freePort();
      const server = new Server({ nodeId, mode, port, directory, scratch: path, options });
      servers.push(server);
      return server;
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server[Symbol.asyncDispose]();
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
