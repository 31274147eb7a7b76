/**
 * A raft group of registers in the simulated world: members on disks that lose power, a network that loses, doubles and delays, partitions of
 * every shape, processes that die at any wait, slow disks, syncs that fail, clocks that run apart; in half of the seeds members come and go.
 */

import { hex } from "#base/bytes.ts";
import { assert, DbError } from "#base/errors.ts";
import { silentLog } from "#ports/log.ts";
import { seededRandom } from "#ports/random.ts";
import type { Operation } from "#raft/configuration/change.ts";
import { type PeerId, peerId } from "#raft/message.ts";
import { RaftMember } from "#raftnode/member/member.ts";
import type { Command } from "#raftnode/member/state-machine.ts";
import { diskError, MemoryDisk } from "#testing/raft/disk.ts";
import { type Operation as Asked, checkLinearizable } from "#testing/raft/linearizable.ts";
import { encodeCommand, RegisterMachine } from "#testing/raft/register-machine.ts";
import { Process } from "../process.ts";
import { World } from "../world.ts";
import { inTime, isRefusal, KEYS, RegisterClient, type RegisterGroup } from "./client.ts";
import { type NetworkFault, RaftNetwork } from "./network.ts";

export type RaftFault =
  | NetworkFault
  | "crash"
  | "power_failure"
  | "slow_disk"
  | "failed_sync"
  | "partition"
  | "pause"
  | "clock_skew"
  | "change"
  | "transfer";

export interface RaftOutcome {
  readonly violations: readonly string[];
  readonly counts: ReadonlyMap<RaftFault, number>;
  readonly operationCount: number;
  readonly answeredCount: number;
  readonly leaderCount: number;
  readonly snapshotCount: number;
  readonly digest: string;
}

const STORM_MS = 12_000;
const PEACE_MS = 30_000;

interface Life {
  readonly process: Process;
  readonly machine: RegisterMachine;
  /** Undefined until it is open. */
  member: RaftMember<boolean> | undefined;
}

/** Runs the universe of `seed`. */
export async function runRaftUniverse(seed: number): Promise<RaftOutcome> {
  const universe = new Universe(seed);
  return universe.run();
}

class Universe {
  readonly #world: World;
  readonly #counts = new Map<RaftFault, number>();
  readonly #network: RaftNetwork;
  readonly #disks = new Map<PeerId, MemoryDisk>();
  readonly #lives = new Map<PeerId, Life>();
  readonly #ids: readonly PeerId[];
  readonly #founders: readonly PeerId[];
  readonly #changing: boolean;
  readonly #history: Asked[] = [];
  readonly #violations: string[] = [];
  /** Who led which term; what stands at which index. */
  readonly #leaders = new Map<number, PeerId>();
  readonly #applied = new Map<number, string>();
  #storm = true;
  #snapshotCount = 0;

  constructor(seed: number) {
    this.#world = new World(seed);
    const count = this.#world.chance(0.5) ? 3 : 5;
    this.#changing = this.#world.chance(0.5);
    this.#founders = Array.from({ length: count }, (_, index) => peerId(index + 1));
    const joining = this.#changing ? [peerId(count + 1), peerId(count + 2)] : [];
    this.#ids = [...this.#founders, ...joining];
    this.#network = new RaftNetwork({ world: this.#world, count: (fault) => this.#count(fault) });
  }

  async run(): Promise<RaftOutcome> {
    await this.#world.run(this.#all());
    return {
      violations: this.#violations,
      counts: this.#counts,
      operationCount: this.#history.length,
      answeredCount: this.#history.filter(({ answeredMs }) => answeredMs !== undefined).length,
      leaderCount: this.#leaders.size,
      snapshotCount: this.#snapshotCount,
      digest: this.#world.digest,
    };
  }

  async #all(): Promise<void> {
    for (const id of this.#ids) {
      this.#disks.set(id, new MemoryDisk());
      this.#startLife(id);
    }
    const group: RegisterGroup = {
      goesOn: () => this.#storm,
      anyMember: () => this.#anyMember(),
      leader: () => this.#leader(),
    };
    const clients = ["a", "b", "c", "d"].map((name) =>
      new RegisterClient(this.#world, group, name, this.#history).run(),
    );
    const watching = this.#watch();
    await this.#makeTrouble();
    this.#storm = false;
    this.#network.calm = true;
    this.#network.heal();
    for (const id of this.#ids) if (!this.#isAlive(id)) this.#startLife(id);
    await Promise.all(clients);
    await this.#settle();
    await watching;
    const verdict = checkLinearizable(this.#history);
    if (verdict.kind !== "linearizable")
      this.#violate(`history of ${verdict.key}: ${verdict.kind}`);
  }

  #startLife(id: PeerId): void {
    const world = this.#world;
    const process = new Process(world, 0);
    const machine = this.#checkedMachine(id);
    const life: Life = { process, machine, member: undefined };
    this.#lives.set(id, life);
    const speed = 0.8 + 0.4 * world.random.next();
    if (Math.abs(speed - 1) > 0.05) this.#count("clock_skew");
    const disk = this.#disk(id);
    disk.fault = (call) => this.#diskCall(process, call);
    const opening = RaftMember.open<boolean>({
      id,
      folder: `node${id}`,
      machine,
      files: disk,
      transport: this.#network.transport(id, process),
      clock: {
        ...process.clock,
        sleep: (delayMs, signal) => process.clock.sleep(delayMs * speed, signal),
      },
      random: seededRandom(world.below(2 ** 31)),
      log: silentLog,
      ...(this.#founders.includes(id) && { founders: this.#founders }),
      // Fewer events than by the usual ones.
      tickMs: 50,
      raft: { heartbeatTicks: 1, electionTicks: 10 },
      snapshotEntryCount: 40,
      keptEntryCount: 10,
      segmentSize: 4_096,
      failed: (error) => this.#failed(id, process, error),
    });
    opening.then(
      (member) => void (life.member = member),
      (error: unknown) => this.#failed(id, process, error),
    );
  }

  /** What a member may end with is a disk that refuses; then it is started again. */
  #failed(id: PeerId, process: Process, error: unknown): void {
    if (!process.alive) return;
    if (!(error instanceof DbError && error.code === "raft_log_failed"))
      this.#violate(`member ${id} failed: ${String(error)}`);
    process.kill();
    this.#world.schedule(200, () => {
      if (!this.#isAlive(id)) this.#startLife(id);
    });
  }

  async #diskCall(process: Process, call: string): Promise<void> {
    const world = this.#world;
    let delayMs = 0.2 + world.random.next();
    if (this.#storm && world.chance(0.01)) {
      this.#count("slow_disk");
      delayMs = world.random.next() * 600;
    }
    const fails = this.#storm && call.startsWith("sync") && world.chance(0.002);
    await process.call(delayMs, () => {
      if (!fails) return;
      this.#count("failed_sync");
      throw diskError("EIO", "disk");
    });
  }

  /** Notes what each member applies at which index: it must be the same on all. */
  #checkedMachine(id: PeerId): RegisterMachine {
    const machine = new RegisterMachine();
    let last = 0;
    const apply = machine.apply.bind(machine);
    machine.apply = (commands: readonly Command[]) => {
      for (const { data, index } of commands) {
        const text = hex(data);
        const known = this.#applied.get(index);
        if (known !== undefined && known !== text)
          this.#violate(`member ${id} applied another command at ${index}`);
        if (index <= last) this.#violate(`member ${id} applied ${index} after ${last}`);
        this.#applied.set(index, text);
        last = index;
      }
      return apply(commands);
    };
    const restore = machine.restore.bind(machine);
    machine.restore = (chunks) => {
      this.#snapshotCount += 1;
      return restore(chunks);
    };
    return machine;
  }

  async #makeTrouble(): Promise<void> {
    const world = this.#world;
    while (world.nowMs < STORM_MS) {
      await world.sleep(50 + world.below(700));
      const draw = world.below(10);
      if (draw < 3) this.#crash();
      else if (draw < 6) this.#partition();
      else if (draw === 6) this.#pause();
      else if (draw === 7) this.#transfer();
      else if (this.#changing) this.#change();
    }
  }

  #crash(): void {
    const id = this.#any();
    const life = this.#lives.get(id);
    if (life === undefined || !life.process.alive) return;
    this.#count("crash");
    life.process.kill();
    if (this.#world.chance(0.5)) this.#network.died(id);
    if (this.#world.chance(0.5)) {
      this.#count("power_failure");
      this.#disk(id).failPower(this.#world.random);
    }
    this.#world.schedule(this.#world.below(2_000), () => {
      if (!this.#isAlive(id)) this.#startLife(id);
    });
  }

  #partition(): void {
    const world = this.#world;
    this.#count("partition");
    this.#network.heal();
    const oneWay = world.chance(0.3);
    const sides = new Map(this.#ids.map((id) => [id, world.chance(0.5)]));
    for (const from of this.#ids)
      for (const to of this.#ids) {
        const apart = world.chance(0.1) || sides.get(from) !== sides.get(to);
        if (apart && (!oneWay || sides.get(from) === true)) this.#network.cut(from, to);
      }
    world.schedule(200 + world.below(2_500), () => this.#network.heal());
  }

  #pause(): void {
    const life = this.#lives.get(this.#any());
    if (life === undefined) return;
    this.#count("pause");
    life.process.pause(this.#world.below(2_000));
  }

  #transfer(): void {
    const leader = this.#leader();
    if (leader === undefined) return;
    this.#count("transfer");
    leader.transferLeader(this.#any());
  }

  /** Asks for any three or more of all, by a joint configuration or in one step. */
  #change(): void {
    const leader = this.#leader();
    if (leader === undefined) return;
    this.#count("change");
    const world = this.#world;
    const wanted = this.#ids.filter(() => world.chance(0.7));
    if (wanted.length < 3) return;
    const members = new Set<PeerId>(leader.status.members.keys());
    const all = this.#ids.flatMap((peer): Operation[] => {
      const isWanted = wanted.includes(peer);
      if (isWanted && !members.has(peer))
        return [
          { kind: world.chance(0.2) ? ("add_learner" as const) : ("add_voter" as const), peer },
        ];
      if (isWanted && world.chance(0.2)) return [{ kind: "add_voter" as const, peer }];
      return !isWanted && members.has(peer) ? [{ kind: "remove" as const, peer }] : [];
    });
    const operations = world.chance(0.3) ? all.slice(0, 1) : all;
    if (operations.length === 0) return;
    try {
      leader.proposeChange({ transition: "auto", operations, context: "" });
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }

  #anyMember(): ReturnType<RegisterGroup["anyMember"]> {
    const { machine, member } = this.#lives.get(this.#any()) ?? {};
    return machine === undefined || member === undefined ? undefined : { machine, member };
  }

  /** One who holds itself to be the leader: there may be several, of different terms. */
  #leader(): RaftMember<boolean> | undefined {
    const leaders = [...this.#lives.values()].filter(
      ({ member, process }) => process.alive && member?.status.role === "leader",
    );
    return leaders[this.#world.below(Math.max(1, leaders.length))]?.member;
  }

  /** Sees that no term has two leaders. */
  async #watch(): Promise<void> {
    while (this.#storm) {
      await this.#world.sleep(5);
      for (const [id, { member, process }] of this.#lives) {
        if (member === undefined || !process.alive) continue;
        const { role, term } = member.status;
        if (role !== "leader") continue;
        const known = this.#leaders.get(term) ?? id;
        if (known !== id) this.#violate(`term ${term} is led by ${known} and ${id}`);
        this.#leaders.set(term, id);
        this.#world.note(`${id} leads ${term}`);
      }
    }
  }

  /** In peace all members of the group come to one state, and take a write. */
  async #settle(): Promise<void> {
    const untilMs = this.#world.nowMs + PEACE_MS;
    while (this.#world.nowMs < untilMs) {
      await this.#world.sleep(100);
      const leader = this.#leader();
      if (leader === undefined) continue;
      const answer = await inTime(
        this.#world,
        leader.propose(encodeCommand({ kind: "write", key: "end", value: "x" })),
      );
      if (!("value" in answer)) continue;
      await this.#world.sleep(1_000);
      const { applied, members } = leader.status;
      const behind = [...members.keys()].filter(
        (id) => this.#lives.get(id)?.member?.status.applied !== applied,
      );
      if (members.size > 0 && behind.length === 0) return this.#compare([...members.keys()]);
    }
    const all = this.#ids.map((id) => {
      const member = this.#lives.get(id)?.member;
      if (member === undefined) return `${id} is not open`;
      const { applied, role, term } = member.status;
      return `${id} ${role} of ${term} at ${applied}`;
    });
    const sees = [...(this.#leader()?.status.members ?? [])].map(
      ([id, { match, next, state }]) => `${id} ${state} ${match} ${next}`,
    );
    this.#violate(`the group does not come to rest: ${all.join(", ")}; ${sees.join(", ")}`);
  }

  #compare(members: readonly PeerId[]): void {
    for (const key of KEYS) {
      const values = new Set(members.map((id) => this.#lives.get(id)?.machine.read(key)));
      if (values.size > 1) this.#violate(`members differ in ${key}`);
    }
  }

  #disk(id: PeerId): MemoryDisk {
    const disk = this.#disks.get(id);
    assert(disk !== undefined, "each member has a disk");
    return disk;
  }

  #isAlive(id: PeerId): boolean {
    return this.#lives.get(id)?.process.alive === true;
  }

  #any(): PeerId {
    return this.#ids[this.#world.below(this.#ids.length)] ?? peerId(1);
  }

  #count(fault: RaftFault): void {
    this.#counts.set(fault, (this.#counts.get(fault) ?? 0) + 1);
    this.#world.note(fault);
  }

  #violate(what: string): void {
    this.#violations.push(`${Math.round(this.#world.nowMs)} ms: ${what}`);
  }
}
