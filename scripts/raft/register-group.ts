import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../long/server.ts";
import { NodeClient } from "./register-client.ts";

const PROGRAM = fileURLToPath(new URL("register-node.ts", import.meta.url));
const LEADER_MS_MAX = 20_000;

export interface RegisterNode {
  readonly id: number;
  /** Where it takes asks. */
  readonly port: number;
  readonly client: NodeClient;
}

/** Register nodes as processes on this machine, in folders of their own that outlive them. */
export class RegisterGroup implements AsyncDisposable {
  readonly nodes: readonly RegisterNode[];
  readonly #folder: string;
  readonly #peers: string;
  readonly #options: readonly string[];
  readonly #children = new Map<number, ChildProcess>();

  /** `options` are words of each node's command line. */
  static async start(count: number, options: readonly string[] = []): Promise<RegisterGroup> {
    const folder = await mkdtemp(join(tmpdir(), "tidelake-raft-"));
    const peers: string[] = [];
    const nodes: RegisterNode[] = [];
    for (let id = 1; id <= count; id++) {
      peers.push(`${id}=127.0.0.1:${await freePort()}`);
      const port = await freePort();
      nodes.push({ id, port, client: new NodeClient(port) });
    }
    const group = new RegisterGroup(nodes, folder, peers.join(), options);
    await Promise.all(nodes.map(({ id }) => group.startNode(id)));
    return group;
  }

  private constructor(
    nodes: readonly RegisterNode[],
    folder: string,
    peers: string,
    options: readonly string[],
  ) {
    this.nodes = nodes;
    this.#folder = folder;
    this.#peers = peers;
    this.#options = options;
    process.once("exit", () => {
      for (const child of this.#children.values()) child.kill("SIGKILL");
    });
  }

  node(id: number): RegisterNode {
    const found = this.nodes.find((node) => node.id === id);
    if (found === undefined) throw new Error(`there is no node ${id}`);
    return found;
  }

  /** Resolves when it takes asks. */
  async startNode(id: number): Promise<void> {
    const words = [PROGRAM, "--id", `${id}`, "--folder", `${this.#folder}/${id}`];
    words.push("--peers", this.#peers, "--port", `${this.node(id).port}`, ...this.#options);
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.set(id, child);
    const ended = once(child, "exit").then(() => {
      throw new Error(`node ${id} has ended as it started`);
    });
    ended.catch(() => undefined);
    await Promise.race([once(child.stdout, "data"), ended]);
  }

  /** Ends a node at once, as a crash does. */
  async kill(id: number): Promise<void> {
    const child = this.#children.get(id);
    this.#children.delete(id);
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  /** The leader by its own word, the one of the highest term. */
  async leader(): Promise<number> {
    for (let waitedMs = 0; waitedMs < LEADER_MS_MAX; waitedMs += 20) {
      const all = await Promise.all(
        this.nodes.map(async ({ client, id }) => ({
          id,
          status: await client.status().catch(() => undefined),
        })),
      );
      const leaders = all.filter(({ status }) => status?.role === "leader");
      const [first] = leaders.toSorted(
        (left, right) => (right.status?.term ?? 0) - (left.status?.term ?? 0),
      );
      if (first !== undefined) return first.id;
      await sleep(20);
    }
    throw new Error(`no leader for ${LEADER_MS_MAX} ms`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client } of this.nodes) client[Symbol.dispose]();
    await Promise.all([...this.#children.keys()].map((id) => this.kill(id)));
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
