import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { DbError } from "#base/errors.ts";
import { silentLog } from "#ports/log.ts";
import { seededRandom } from "#ports/random.ts";
import { peerId } from "#raft/message.ts";
import { diskError, MemoryDisk } from "#testing/raft/disk.ts";
import { realClock, realRandom } from "#testing/raft/real.ts";
import { encodeCommand, RegisterMachine } from "#testing/raft/register-machine.ts";
import { TcpTransport } from "../transport/tcp-transport.ts";
import { RaftMember } from "./member.ts";
import type { MemberOptions } from "./member-options.ts";

interface Node extends AsyncDisposable {
  readonly member: RaftMember<boolean>;
  readonly machine: RegisterMachine;
  readonly failures: unknown[];
}

/** Three members on disks in memory, each with a port of its own. */
class Trio implements AsyncDisposable {
  readonly disks = [new MemoryDisk(), new MemoryDisk(), new MemoryDisk()] as const;
  readonly #ports: (number | undefined)[] = [];
  readonly #nodes: (Node | undefined)[] = [];
  readonly #transports: TcpTransport[] = [];
  readonly #options: Partial<MemberOptions<boolean>>;

  constructor(options: Partial<MemberOptions<boolean>> = {}) {
    this.#options = options;
  }

  /** Starts member `id`, again where it was started before. */
  async start(id: 1 | 2 | 3): Promise<Node> {
    const transport = new TcpTransport({
      self: peerId(id),
      group: "trio",
      secret: undefined,
      tls: undefined,
      host: "127.0.0.1",
      port: this.#ports[id] ?? 0,
      clock: realClock,
      random: realRandom,
      log: silentLog,
    });
    const machine = new RegisterMachine();
    const failures: unknown[] = [];
    const member = await RaftMember.open<boolean>({
      id: peerId(id),
      folder: "data",
      machine,
      files: this.disks[id - 1] as MemoryDisk,
      transport,
      clock: realClock,
      random: seededRandom(id),
      log: silentLog,
      founders: [1, 2, 3].map(peerId),
      failed: (error) => void failures.push(error),
      ...this.#options,
    });
    this.#ports[id] = transport.port;
    this.#transports[id] = transport;
    for (const [other, port] of this.#ports.entries()) {
      if (port === undefined || other === id) continue;
      transport.setPeer(peerId(other), `127.0.0.1:${port}`);
      this.#transports[other]?.setPeer(peerId(id), `127.0.0.1:${transport.port}`);
    }
    const node = {
      member,
      machine,
      failures,
      [Symbol.asyncDispose]: () => member[Symbol.asyncDispose](),
    };
    this.#nodes[id] = node;
    return node;
  }

  async startAll(): Promise<readonly [Node, Node, Node]> {
    return [await this.start(1), await this.start(2), await this.start(3)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) await node?.[Symbol.asyncDispose]();
  }
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += 5) {
    assert.ok(waitedMs < 8_000, `in time: ${what}`);
    await pause(5);
  }
}

/** Has `node` lead. */
async function lead(node: Node): Promise<void> {
  await until("a leader", () => {
    if (node.member.leader === 0) node.member.campaign();
    return node.member.status.role === "leader";
  });
}

function write(node: Node, value: string): Promise<boolean> {
  return node.member.propose(encodeCommand({ kind: "write", key: "k", value }));
}

suite("a member of a raft group", () => {
  test("has what the group agreed on, also after all have ended, and reads it anywhere", async () => {
    await using trio = new Trio({ snapshotEntryCount: 20, keptEntryCount: 5 });
    const nodes = await trio.startAll();
    await lead(nodes[0]);
    for (let count = 1; count <= 50; count += 1)
      assert.equal(await write(nodes[0], `${count}`), true);
    await nodes[2].member.read();
    assert.equal(nodes[2].machine.read("k"), "50");
    await assert.rejects(write(nodes[1], "elsewhere"), { code: "raft_not_leader" });
    await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));

    const again = await trio.startAll();
    await lead(again[1]);
    await again[0].member.read();
    assert.equal(again[0].machine.read("k"), "50");
  });

  test("answers a read once a snapshot has brought what the read must see", async () => {
    await using trio = new Trio({ snapshotEntryCount: 1, keptEntryCount: 0 });
    const [first, , third] = await trio.startAll();
    await lead(first);
    await write(first, "before");
    await third[Symbol.asyncDispose]();
    for (let count = 1; count <= 20; count += 1) await write(first, `${count}`);

    // Its leader answers before its disk does.
    trio.disks[2].fault = (call) => (call === "sync" ? pause(100) : undefined);
    const late = await trio.start(3);
    const startedMs = performance.now();
    await late.member.read();
    assert.equal(late.machine.read("k"), "20");
    assert.ok(performance.now() - startedMs < 5_000, "before it is given up");
  });

  test("ends when its disk is full, says so, and goes on from what is stored when there is room", async () => {
    await using trio = new Trio();
    const nodes = await trio.startAll();
    await lead(nodes[0]);
    await write(nodes[0], "stored");
    trio.disks[0].fault = (call) => {
      if (call === "write") throw diskError("ENOSPC", "disk");
    };
    await assert.rejects(write(nodes[0], "not stored"), { code: "raft_outcome_unknown" });
    await until("word of it", () => nodes[0].failures.length === 1);
    const [failure] = nodes[0].failures;
    assert.ok(failure instanceof DbError && failure.code === "raft_log_failed");
    await assert.rejects(write(nodes[0], "later"), { code: "raft_log_failed" });
    await nodes[0][Symbol.asyncDispose]();
    trio.disks[0].fault = undefined;

    const again = await trio.start(1);
    await lead(nodes[1]);
    await write(nodes[1], "newer");
    await again.member.read();
    assert.equal(again.machine.read("k"), "newer");
  });

  test("leads no longer when its disk does not answer, and follows when it does", async () => {
    await using trio = new Trio();
    const nodes = await trio.startAll();
    await lead(nodes[0]);
    await write(nodes[0], "before");
    const disk = Promise.withResolvers<void>();
    trio.disks[0].fault = (call) => (call === "sync" ? disk.promise : undefined);
    const hanging = write(nodes[0], "hanging").catch((error: unknown) => error);
    const others = nodes.slice(1);
    await until("another leader", () =>
      others.some(({ member }) => member.status.role === "leader"),
    );
    const leader = others.find(({ member }) => member.status.role === "leader");
    assert.ok(leader);
    assert.equal(await write(leader, "after"), true);
    await assert.rejects(write(nodes[0], "refused"), { code: "raft_busy" });
    disk.resolve();
    await nodes[0].member.read();
    assert.equal(nodes[0].machine.read("k"), "after");
    assert.equal(await hanging, true);
  });

  test("refuses who waits when it stops, in the middle of whatever it does", async () => {
    await using trio = new Trio();
    const nodes = await trio.startAll();
    await lead(nodes[0]);
    const asked = Array.from({ length: 50 }, (_, count) =>
      write(nodes[0], `${count}`).then(
        () => "done",
        (error: unknown) => (error instanceof DbError ? error.code : String(error)),
      ),
    );
    const read = nodes[0].member.read().then(
      () => "done",
      (error: unknown) => (error instanceof DbError ? error.code : String(error)),
    );
    await Promise.all([nodes[0][Symbol.asyncDispose](), nodes[0][Symbol.asyncDispose]()]);
    const known = new Set(["done", "raft_outcome_unknown"]);
    for (const answer of await Promise.all(asked)) assert.ok(known.has(answer), answer);
    assert.ok(["done", "raft_read_unconfirmed"].includes(await read));
    await assert.rejects(write(nodes[0], "later"), { code: "raft_not_leader" });
    assert.deepEqual(nodes[0].failures, []);
  });
});
