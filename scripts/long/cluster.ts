import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, Server } from "./server.ts";

export interface Cluster extends AsyncDisposable {
  /** Ingest, query and compact. */
  readonly first: Server;
  /** Ingest and query. */
  readonly second: Server;
  readonly nodes: readonly [Server, Server];
}

/** Two nodes on one folder, started and ready; the folder goes with them. */
export async function startCluster(options: readonly string[]): Promise<Cluster> {
  const scratch = await mkdtemp(join(tmpdir(), "tidelake-long-"));
  const node = async (nodeId: string, mode: string) => {
    const directory = join(scratch, "store");
    return new Server({ nodeId, mode, port: await freePort(), directory, scratch, options });
  };
  const first = await node("host01", "ingest,query,compact");
  const second = await node("host02", "ingest,query");
  const nodes = [first, second] as const;
  for (const server of nodes) {
    server.start();
    await server.ready();
  }
  return {
    first,
    second,
    nodes,
    async [Symbol.asyncDispose]() {
      for (const server of nodes) await server[Symbol.asyncDispose]();
      await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export interface SingleNode extends AsyncDisposable {
  readonly server: Server;
}

/** One node that does everything, on a folder of its own, started and ready; the folder goes with it. */
export async function startNode(options: readonly string[]): Promise<SingleNode> {
  const scratch = await mkdtemp(join(tmpdir(), "tidelake-long-"));
  const directory = join(scratch, "store");
  const port = await freePort();
  const server = new Server({ nodeId: "host01", mode: "all", port, directory, scratch, options });
  server.start();
  await server.ready();
  return {
    server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
