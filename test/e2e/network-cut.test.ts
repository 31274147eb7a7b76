/** Nodes in network namespaces of their own, which stop reaching each other while the store is there for all of them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { PROGRAM, Sandbox, type TestNode } from "./cluster.ts";
import { Acknowledged, Writers } from "./load.ts";

/** Longer than a standby that hears nothing takes to decide that nobody is in office. */
const CUT_MS = 12_000;
const PORT = 8181;
const OFTEN =
  "--wal-files-per-snapshot 20 --gen1-duration 1m --compaction-check-interval 500ms".split(" ");
const NODES = [
  ["host01", "ingest,query,compact"],
  ["host02", "ingest,query,compact"],
  ["host03", "query"],
] as const;

function run(...words: readonly string[]): void {
  const [program = "", ...rest] = words;
  execFileSync(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
}

function canMakeNetworks(): boolean {
  if (process.getuid?.() !== 0) return false;
  const name = `tlprobe${process.pid}`;
  try {
    run("ip", "netns", "add", name);
    run("ip", "netns", "del", name);
    run("bridge", "-V");
    return true;
  } catch {
    return false;
  }
}

/** A switch of this machine with a namespace for each node at it. This process reaches all of them, whatever is cut. */
class Network implements Disposable {
  readonly #name = `tl${process.pid}`;
  readonly #subnet = `10.231.${process.pid % 250}`;
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
    run("ip", "link", "add", "name", this.#name, "type", "bridge");
    run("ip", "addr", "add", `${this.#subnet}.1/24`, "dev", this.#name);
    run("ip", "link", "set", this.#name, "up");
    for (let index = 0; index < count; index += 1) this.#addNamespace(index);
  }

  /** The namespace of node `index`. */
  namespace(index: number): string {
    return `${this.#name}n${index}`;
  }

  address(index: number): string {
    return `${this.#subnet}.${index + 2}`;
  }

  /** No node reaches another any more, or all do again. */
  setCut(cut: boolean): void {
    for (let index = 0; index < this.#count; index += 1)
      run("bridge", "link", "set", "dev", this.#port(index), "isolated", cut ? "on" : "off");
  }

  /** Whether the first two nodes reach each other. */
  isWhole(): boolean {
    const knock = `exec 3<>/dev/tcp/${this.address(1)}/${PORT}`;
    try {
      run("ip", "netns", "exec", this.namespace(0), "timeout", "1", "bash", "-c", knock);
      return true;
    } catch {
      return false;
    }
  }

  [Symbol.dispose](): void {
    for (let index = 0; index < this.#count; index += 1)
      run("ip", "netns", "del", this.namespace(index));
    run("ip", "link", "del", this.#name);
  }

  #port(index: number): string {
    return `${this.#name}p${index}`;
  }

  #addNamespace(index: number): void {
    const name = this.namespace(index);
    const within = ["ip", "netns", "exec", name];
    run("ip", "netns", "add", name);
    run(
      "ip",
      "link",
      "add",
      this.#port(index),
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      name,
    );
    run("ip", "link", "set", this.#port(index), "master", this.#name, "up");
    run(...within, "ip", "addr", "add", `${this.address(index)}/24`, "dev", "eth0");
    run(...within, "ip", "link", "set", "eth0", "up");
    run(...within, "ip", "link", "set", "lo", "up");
  }
}

async function startNodes(sandbox: Sandbox, network: Network): Promise<readonly TestNode[]> {
  const nodes: TestNode[] = [];
  for (const [index, [nodeId, mode]] of NODES.entries()) {
    const listener = join(sandbox.directory, `listener-${index}`);
    const bind = `${network.address(index)}:${PORT}`;
    const serve = sandbox.serveWords({ nodeId, mode, bind, more: OFTEN });
    const words = ["netns", "exec", network.namespace(index), PROGRAM, ...serve];
    const node = sandbox.launchWords([...words, "--tcp-listener-file-path", listener], listener, {
      program: "ip",
    });
    await node.serving();
    nodes.push(node);
  }
  return nodes;
}

async function holders(nodes: readonly TestNode[]): Promise<readonly number[]> {
  const held: number[] = [];
  for (const [index, node] of nodes.entries()) {
    const { text } = await node.get("/metrics");
    if (/^influxdb3_compactor_is_primary 1$/m.test(text)) held.push(index);
  }
  return held;
}

suite("a network that is cut between nodes", {
  skip: canMakeNetworks() ? false : "needs root and the program ip",
}, () => {
  test("keeps nobody from the store: writes go on, every node shows all of them, and the office stays", async () => {
    using network = new Network(NODES.length);
    await using sandbox = await Sandbox.open();
    const nodes = await startNodes(sandbox, network);
    const [one, two] = nodes;
    assert.ok(one !== undefined && two !== undefined);
    const acknowledged = new Acknowledged();
    await using first = new Writers(() => one, acknowledged, 2);
    await using second = new Writers(() => two, acknowledged, 2, 2);
    await sleep(2_000);
    for (const node of nodes) await acknowledged.checkSoon(node);
    const before = await holders(nodes);
    assert.equal(before.length, 1);
    assert.ok(network.isWhole());
    network.setCut(true);
    assert.ok(!network.isWhole());
    const endMs = performance.now() + CUT_MS;
    while (performance.now() < endMs) {
      for (const node of nodes) await acknowledged.checkSoon(node);
      await sleep(500);
    }
    assert.deepEqual(await holders(nodes), before);
    assert.deepEqual([...first.refusals, ...second.refusals], []);
    network.setCut(false);
    assert.ok(network.isWhole());
    await sleep(2_000);
    await Promise.all([first.stop(), second.stop()]);
    for (const node of nodes) await acknowledged.checkSoon(node);
    assert.deepEqual(await holders(nodes), before);
  });
});
