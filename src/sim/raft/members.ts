import { assert, DbError } from "#base/errors.ts";
import { silentLog } from "#ports/log.ts";
import { seededRandom } from "#ports/random.ts";
import type { PeerId } from "#raft/message.ts";
import type { RaftOptions } from "#raft/options.ts";
import { RaftMember } from "#raftnode/member/member.ts";
import { type DiskCall, diskError, MemoryDisk } from "#testing/raft/disk.ts";
import { Process } from "../process.ts";
import type { World } from "../world.ts";
import type { CountFault } from "./faults.ts";
import { SimulatedMachine } from "./machine.ts";
import type { RaftNetwork } from "./network.ts";
import type { Run, Witness } from "./witness.ts";

/** One run of a member. */
export interface Life extends Run {
  readonly process: Process;
  readonly machine: SimulatedMachine;
  /** Undefined until it is open. */
  member: RaftMember<boolean> | undefined;
  /** Resolves when its disk answers again; undefined where it does. */
  hanging: PromiseWithResolvers<void> | undefined;
}

export interface MembersOptions {
  readonly world: World;
  readonly network: RaftNetwork;
  readonly witness: Witness;
  readonly count: CountFault;
  readonly violate: (what: string) => void;
  /** Who may be a member, sooner or later. */
  readonly ids: readonly PeerId[];
  /** Who is one from the beginning. */
  readonly founders: readonly PeerId[];
  readonly raft: Partial<RaftOptions>;
  /** The chance that a process ends at a write of its disk; a quarter of that at another call. */
  readonly callCrashChance: number;
  /** So long a disk takes to answer that is not slow, at most. */
  readonly callMsMax: number;
  /** So long a state machine takes to apply commands, at most; 0: it is done at once. */
  readonly applyMsMax: number;
}

const SLOW_MS_MAX = 600;

/** The members of a group, dead or alive, and their disks, on which faults happen until there is peace. */
export class Members {
  #peace = false;
  readonly #options: MembersOptions;
  readonly #disks: ReadonlyMap<PeerId, MemoryDisk>;
  readonly #lives = new Map<PeerId, Life>();
  #snapshotCount = 0;

  constructor(options: MembersOptions) {
    this.#options = options;
    this.#disks = new Map(options.ids.map((id) => [id, new MemoryDisk()]));
  }

  get ids(): readonly PeerId[] {
    return this.#options.ids;
  }

  /** How many snapshots were restored. */
  get snapshotCount(): number {
    return this.#snapshotCount;
  }

  /** The last run of `id`. */
  life(id: PeerId): Life | undefined {
    return this.#lives.get(id);
  }

  isAlive(id: PeerId): boolean {
    return this.#lives.get(id)?.process.alive === true;
  }

  any(): PeerId {
    const { ids, world } = this.#options;
    const id = ids[world.below(ids.length)];
    assert(id !== undefined, "there are members");
    return id;
  }

  /** One who holds itself to be the leader: there may be several, of different terms. */
  leader(): RaftMember<boolean> | undefined {
    const leaders = [...this.#lives.values()].filter(
      ({ member, process }) => process.alive && member?.status.role === "leader",
    );
    return leaders[this.#options.world.below(Math.max(1, leaders.length))]?.member;
  }

  /** Starts those who do not live. */
  startAll(): void {
    for (const id of this.ids) this.#startIfDead(id);
  }

  /** Ends a member as `kill -9` does, or as a power failure, and starts it again within `downMsMax`. */
  crash(id: PeerId, downMsMax: number): void {
    const { count, network, world } = this.#options;
    const life = this.#lives.get(id);
    if (life === undefined || !life.process.alive) return;
    count("crash");
    if (life.member === undefined) count("crash_in_start");
    life.process.kill();
    if (world.chance(0.5)) network.died(id);
    if (world.chance(0.5)) {
      count("power_failure");
      const { lostCount, tornCount } = this.#disk(id).failPower(world.random);
      count("write_lost", lostCount);
      count("write_torn", tornCount);
    }
    world.schedule(world.below(downMsMax), () => this.#startIfDead(id));
  }

  pause(id: PeerId, forMs: number): void {
    this.#options.count("pause");
    this.#lives.get(id)?.process.pause(forMs);
  }

  /** The disk of a member answers nothing for `forMs`, or until its process ends, or there is peace. */
  hangDisk(id: PeerId, forMs?: number): void {
    const { count, world } = this.#options;
    const life = this.#lives.get(id);
    if (life?.process.alive !== true || life.hanging !== undefined) return;
    count("hung_disk");
    life.hanging = Promise.withResolvers();
    if (forMs !== undefined) world.schedule(forMs, () => this.#answerAgain(life));
  }

  /** Nothing bad happens to disks any more. */
  makePeace(): void {
    this.#peace = true;
    for (const life of this.#lives.values()) this.#answerAgain(life);
  }

  #answerAgain(life: Life): void {
    life.hanging?.resolve();
    life.hanging = undefined;
  }

  #startIfDead(id: PeerId): void {
    if (!this.isAlive(id)) this.#start(id);
  }

  #start(id: PeerId): void {
    const { applyMsMax, count, founders, network, raft, violate, witness, world } = this.#options;
    const process = new Process(world, 0);
    const number = (this.#lives.get(id)?.number ?? 0) + 1;
    const machine = new SimulatedMachine({
      world,
      process,
      applyMsMax,
      violate,
      applies: (commands) => witness.applies(life, commands),
      restores: () => {
        this.#snapshotCount += 1;
        witness.restores(life);
      },
    });
    const life: Life = { id, number, process, machine, member: undefined, hanging: undefined };
    this.#lives.set(id, life);
    const speed = 0.8 + 0.4 * world.random.next();
    if (Math.abs(speed - 1) > 0.05) count("clock_skew");
    const disk = this.#disk(id);
    disk.fault = (call) => this.#diskCall(life, call);
    const opening = RaftMember.open<boolean>({
      id,
      folder: `node${id}`,
      machine,
      files: disk,
      transport: network.transport(id, process),
      clock: {
        ...process.clock,
        sleep: (delayMs, signal) => process.clock.sleep(delayMs * speed, signal),
      },
      random: seededRandom(world.below(2 ** 31)),
      log: silentLog,
      ...(founders.includes(id) && { founders }),
      // Fewer events than by the usual ones.
      tickMs: 50,
      raft: { heartbeatTicks: 1, electionTicks: 10, ...raft },
      snapshotEntryCount: 40,
      keptEntryCount: 10,
      segmentSize: 4_096,
      turned: (core, durable) => witness.turned(life, core, durable),
      failed: (error) => this.#failed(life, error),
    });
    opening.then(
      (member) => void (life.member = member),
      (error: unknown) => this.#failed(life, error),
    );
  }

  /** What a member may end with is a disk that refuses; then it is started again. */
  #failed({ id, process }: Life, error: unknown): void {
    if (!process.alive) return;
    if (!(error instanceof DbError && error.code === "raft_log_failed"))
      this.#options.violate(`member ${id} failed: ${String(error)}`);
    process.kill();
    this.#options.world.schedule(200, () => this.#startIfDead(id));
  }

  async #diskCall(life: Life, call: DiskCall): Promise<void> {
    const { callCrashChance, callMsMax, count, world } = this.#options;
    const { id, process } = life;
    await life.hanging?.promise;
    let delayMs = 0.2 + world.random.next() * (callMsMax - 0.2);
    if (!this.#peace && world.chance(0.01)) {
      count("slow_disk");
      delayMs = world.random.next() * SLOW_MS_MAX;
    }
    const refusal = this.#refusalOf(call);
    const crashChance = call === "write" ? callCrashChance : callCrashChance / 4;
    const crashes = !this.#peace && world.chance(crashChance);
    const crash = () => {
      if (this.#lives.get(id) !== life || !process.alive) return;
      count("crash_in_call");
      this.crash(id, 1_000);
    };
    // The disk never gets it.
    if (crashes && world.chance(0.3)) world.schedule(delayMs / 2, crash);
    // The disk does it, and that is all.
    else if (crashes) world.schedule(delayMs + 0.1, crash);
    await process.call(delayMs, () => {
      if (refusal === undefined) return;
      count(refusal === "EIO" ? "failed_sync" : "full_disk");
      throw diskError(refusal, "disk");
    });
  }

  #refusalOf(call: DiskCall): "EIO" | "ENOSPC" | undefined {
    const { world } = this.#options;
    if (this.#peace) return undefined;
    if (call.startsWith("sync")) return world.chance(0.002) ? "EIO" : undefined;
    const grows = call === "write" || call === "create";
    return grows && world.chance(0.001) ? "ENOSPC" : undefined;
  }

  #disk(id: PeerId): MemoryDisk {
    const disk = this.#disks.get(id);
    assert(disk !== undefined, "each member has a disk");
    return disk;
  }
}
