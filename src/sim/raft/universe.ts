/**
 * A raft group of registers in the simulated world: members on disks that lose power, a network that loses, doubles and delays, partitions of
 * every shape, processes that die at any wait, slow disks, syncs that fail, clocks that run apart; in half of the seeds members come and go.
 */
import { type PeerId, peerId } from "#raft/message.ts";
import type { RaftOptions } from "#raft/options.ts";
import { type Operation as Asked, checkLinearizable } from "#testing/raft/linearizable.ts";
import { encodeCommand } from "#testing/raft/register-machine.ts";
import { World } from "../world.ts";
import { inTime, KEYS, RegisterClient, type RegisterGroup } from "./client.ts";
import type { RaftFault } from "./faults.ts";
import { Members } from "./members.ts";
import { RaftNetwork } from "./network.ts";
import { anyTemper, type Temper, Trouble } from "./trouble.ts";
import { Witness } from "./witness.ts";

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
/** What is broken once shows at each step: the first ones say enough. */
const VIOLATION_COUNT_MAX = 20;

/** Runs the universe of `seed`. */
export async function runRaftUniverse(seed: number): Promise<RaftOutcome> {
  const universe = new Universe(seed);
  return universe.run();
}

class Universe {
  readonly #world: World;
  readonly #counts = new Map<RaftFault, number>();
  readonly #members: Members;
  readonly #witness: Witness;
  readonly #trouble: Trouble;
  readonly #history: Asked[] = [];
  readonly #violations: string[] = [];
  #storm = true;

  constructor(seed: number) {
    const world = new World(seed);
    this.#world = world;
    const founderCount = world.chance(0.5) ? 3 : 5;
    const changing = world.chance(0.5);
    const temper = anyTemper(world, changing);
    const founders = Array.from({ length: founderCount }, (_, index) => peerId(index + 1));
    const joining = changing ? [peerId(founderCount + 1), peerId(founderCount + 2)] : [];
    const count = (fault: RaftFault, times = 1) => this.#count(fault, times);
    const violate = (what: string) => this.#violate(what);
    const network = new RaftNetwork({ world, count });
    this.#witness = new Witness({
      violate,
      moment: (moment, id) => {
        world.note(`${id} ${moment}`);
        this.#trouble.noteMoment(moment, id);
      },
    });
    this.#members = new Members({
      world,
      network,
      count,
      violate,
      witness: this.#witness,
      ids: [...founders, ...joining],
      founders,
      raft: anyOptions(world, temper),
      callCrashChance: [0, 0.001, 0.008][world.below(3)] ?? 0,
      callMsMax: world.chance(0.3) ? 30 : 1.2,
      applyMsMax: world.chance(0.3) ? 10 : 0,
    });
    this.#trouble = new Trouble({ world, network, count, temper, members: this.#members });
  }

  async run(): Promise<RaftOutcome> {
    await this.#world.run(this.#all());
    return {
      violations: this.#violations,
      counts: this.#counts,
      operationCount: this.#history.length,
      answeredCount: this.#history.filter(({ answeredMs }) => answeredMs !== undefined).length,
      leaderCount: this.#witness.leaderCount,
      snapshotCount: this.#members.snapshotCount,
      digest: this.#world.digest,
    };
  }

  async #all(): Promise<void> {
    this.#members.startAll();
    const group: RegisterGroup = {
      goesOn: () => this.#storm,
      anyMember: () => this.#anyMember(),
      leader: () => this.#members.leader(),
    };
    const clients = ["a", "b", "c", "d"].map((name) =>
      new RegisterClient(this.#world, group, name, this.#history).run(),
    );
    await this.#trouble.make(STORM_MS);
    this.#storm = false;
    this.#members.startAll();
    await Promise.all(clients);
    // One that is broken may never come to rest, and its history take long to refute.
    if (this.#violations.length > 0) return;
    await this.#settle();
    const verdict = checkLinearizable(this.#history);
    if (verdict.kind !== "linearizable")
      this.#violate(`history of ${verdict.key}: ${verdict.kind}`);
  }

  #anyMember(): ReturnType<RegisterGroup["anyMember"]> {
    const life = this.#members.life(this.#members.any());
    if (life?.member === undefined) return undefined;
    const { machine, member } = life;
    return { machine, member, beginRead: () => this.#witness.beginRead(life) };
  }

  /** In peace all members of the group come to one state, and take a write. */
  async #settle(): Promise<void> {
    const untilMs = this.#world.nowMs + PEACE_MS;
    while (this.#world.nowMs < untilMs) {
      await this.#world.sleep(100);
      const leader = this.#members.leader();
      if (leader === undefined) continue;
      const answer = await inTime(
        this.#world,
        leader.propose(encodeCommand({ kind: "write", key: "end", value: "x" })),
      );
      if (!("value" in answer)) continue;
      await this.#world.sleep(1_000);
      const { applied, members } = leader.status;
      const behind = [...members.keys()].filter(
        (id) => this.#members.life(id)?.member?.status.applied !== applied,
      );
      if (members.size > 0 && behind.length === 0) return this.#compare([...members.keys()]);
    }
    this.#violate(`the group does not come to rest: ${this.#describe()}`);
  }

  #describe(): string {
    const all = this.#members.ids.map((id) => {
      const member = this.#members.life(id)?.member;
      if (member === undefined) return `${id} is not open`;
      const { applied, role, term } = member.status;
      return `${id} ${role} of ${term} at ${applied}`;
    });
    const sees = [...(this.#members.leader()?.status.members ?? [])].map(
      ([id, { match, next, state }]) => `${id} ${state} ${match} ${next}`,
    );
    return `${all.join(", ")}; ${sees.join(", ")}`;
  }

  #compare(members: readonly PeerId[]): void {
    for (const key of KEYS) {
      const values = new Set(members.map((id) => this.#members.life(id)?.machine.read(key)));
      if (values.size > 1) this.#violate(`members differ in ${key}`);
    }
  }

  #count(fault: RaftFault, times: number): void {
    this.#counts.set(fault, (this.#counts.get(fault) ?? 0) + times);
    this.#world.note(fault);
  }

  #violate(what: string): void {
    if (this.#violations.length >= VIOLATION_COUNT_MAX) return;
    this.#violations.push(`${Math.round(this.#world.nowMs)} ms: ${what}`);
  }
}

/** Limits that are usual, or so small that all waits for room; in some groups anybody campaigns at any time. */
function anyOptions(world: World, { changing, hunting }: Temper): Partial<RaftOptions> {
  const small = hunting || world.chance(0.3);
  // Who is no member any more and has not heard of it would disturb the others for ever.
  const rude = !changing && world.chance(0.2);
  return {
    ...(small && { messageBytesMax: 1, inflightCountMax: 1 + world.below(4) }),
    ...(rude && { preVote: false, checkQuorum: false }),
  };
}
