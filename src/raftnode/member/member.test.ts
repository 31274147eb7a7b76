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
import type { Chunks } from "../snapshot/snapshot-folder.ts";
import { TcpTransport } from "../transport/tcp-transport.ts";
import { RaftMember } from "./member.ts";
import type { MemberOptions } from "./member-options.ts";
import type { Command, StateMachine } from "./state-machine.ts";

type Id = 1 | 2 | 3;

interface Node extends AsyncDisposable {
  readonly id: Id;
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
  async start(id: Id): Promise<Node> {
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
      id,
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

/** Who leads, and the others. */
async function led(nodes: readonly Node[]): Promise<readonly [Node, Node, Node]> {
  const leads = ({ member }: Node) => member.status.role === "leader";
  await until("a leader", () => nodes.some(leads));
  const [leader, ...others] = nodes.toSorted(
    (one, other) => Number(leads(other)) - Number(leads(one)),
  );
  const [second, third] = others;
  assert.ok(leader && second && third);
  return [leader, second, third];
}

function write(node: Node, value: string): Promise<boolean> {
  return node.member.propose(encodeCommand({ kind: "write", key: "k", value }));
}

/** Registers that change some time before they say so, and count how often they are captured then, and at all. */
class SlowMachine implements StateMachine<boolean> {
  readonly #registers = new RegisterMachine();
  #changing = false;
  captureCount = 0;
  halfCount = 0;

  async apply(commands: readonly Command[]): Promise<readonly boolean[]> {
    this.#changing = true;
    const answers = this.#registers.apply(commands);
    await pause(5);
    this.#changing = false;
    return answers;
  }

  capture(): Chunks {
    this.captureCount += 1;
    if (this.#changing) this.halfCount += 1;
    return this.#registers.capture();
  }

  restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#registers.restore(chunks);
  }
}

/** "done", or the code of why not. */
function outcome(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    () => "done",
    (error: unknown) => (error instanceof DbError ? error.code : String(error)),
  );
}

suite("a member of a raft group", () => {
  test("has what the group agreed on, also after all have ended, and reads it anywhere", async () => {
    await using trio = new Trio({ snapshotEntryCount: 20, keptEntryCount: 5 });
    const nodes = await trio.startAll();
    const [leader, other, third] = await led(nodes);
    for (let count = 1; count <= 50; count += 1)
      assert.equal(await write(leader, `${count}`), true);
    await third.member.read();
    assert.equal(third.machine.read("k"), "50");
    await assert.rejects(write(other, "elsewhere"), { code: "raft_not_leader" });
    await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));

    const [, again] = await led(await trio.startAll());
    await again.member.read();
    assert.equal(again.machine.read("k"), "50");
  });

  test("answers a read once a snapshot has brought what the read must see", async () => {
    await using trio = new Trio({ snapshotEntryCount: 1, keptEntryCount: 0 });
    const [leader, , away] = await led(await trio.startAll());
    await write(leader, "before");
    await away[Symbol.asyncDispose]();
    for (let count = 1; count <= 20; count += 1) await write(leader, `${count}`);

    // Its leader answers before its disk does.
    const disk = trio.disks[away.id - 1] as MemoryDisk;
    disk.fault = (call) => (call === "sync" ? pause(100) : undefined);
    const late = await trio.start(away.id);
    const startedMs = performance.now();
    await late.member.read();
    assert.equal(late.machine.read("k"), "20");
    assert.ok(performance.now() - startedMs < 5_000, "before it is given up");
  });

  test("makes no snapshot of a state that is changing", async () => {
    const machine = new SlowMachine();
    await using trio = new Trio({ founders: [peerId(1)], machine, snapshotEntryCount: 1 });
    // The next one is due when one is made.
    trio.disks[0].fault = () => pause(1);
    const node = await trio.start(1);
    await until("it leads", () => node.member.status.role === "leader");
    for (let count = 1; count <= 30; count += 1) await write(node, `${count}`);
    assert.ok(machine.captureCount > 5, `${machine.captureCount} were made`);
    assert.equal(machine.halfCount, 0);
  });

  test("ends when its disk is full, says so, and goes on from what is stored when there is room", async () => {
    await using trio = new Trio();
    const [leader, other, third] = await led(await trio.startAll());
    await write(leader, "stored");
    const disk = trio.disks[leader.id - 1] as MemoryDisk;
    disk.fault = (call) => {
      if (call === "write") throw diskError("ENOSPC", "disk");
    };
    await assert.rejects(write(leader, "not stored"), { code: "raft_outcome_unknown" });
    await until("word of it", () => leader.failures.length === 1);
    const [failure] = leader.failures;
    assert.ok(failure instanceof DbError && failure.code === "raft_log_failed");
    await assert.rejects(write(leader, "later"), { code: "raft_log_failed" });
    await leader[Symbol.asyncDispose]();
    disk.fault = undefined;

    const again = await trio.start(leader.id);
    const [next] = await led([again, other, third]);
    await write(next, "newer");
    await again.member.read();
    assert.equal(again.machine.read("k"), "newer");
  });

  test("leads no longer when its disk does not answer, and follows when it does", async () => {
    await using trio = new Trio();
    const [leader, ...others] = await led(await trio.startAll());
    await write(leader, "before");
    const answered = Promise.withResolvers<void>();
    const disk = trio.disks[leader.id - 1] as MemoryDisk;
    disk.fault = (call) => (call === "sync" ? answered.promise : undefined);
    const hanging = write(leader, "hanging");
    await until("another leader", () =>
      others.some(({ member }) => member.status.role === "leader"),
    );
    const next = others.find(({ member }) => member.status.role === "leader");
    assert.ok(next);
    assert.equal(await write(next, "after"), true);
    await assert.rejects(write(leader, "refused"), { code: "raft_busy" });
    answered.resolve();
    await leader.member.read();
    assert.equal(leader.machine.read("k"), "after");
    assert.equal(await hanging, true);
  });

  test("refuses who waits when it stops, in the middle of whatever it does", async () => {
    await using trio = new Trio();
    const [leader] = await led(await trio.startAll());
    const writes = Array.from({ length: 50 }, (_, count) => outcome(write(leader, `${count}`)));
    const read = outcome(leader.member.read());
    await Promise.all([leader[Symbol.asyncDispose](), leader[Symbol.asyncDispose]()]);
    const known = new Set(["done", "raft_outcome_unknown"]);
    for (const answer of await Promise.all(writes)) assert.ok(known.has(answer), answer);
    assert.ok(["done", "raft_read_unconfirmed"].includes(await read));
    await assert.rejects(write(leader, "later"), { code: "raft_not_leader" });
    assert.deepEqual(leader.failures, []);
  });
});
