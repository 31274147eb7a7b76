import type { Operation } from "#raft/configuration/change.ts";
import { type Configuration, isJoint } from "#raft/configuration/configuration.ts";
import type { PeerId } from "#raft/message.ts";
import type { Status } from "#raft/node.ts";
import { allVoters } from "#raft/quorum/joint.ts";
import type { World } from "../world.ts";
import { isRefusal } from "./client.ts";
import type { CountFault, RaftFault } from "./faults.ts";
import type { Members } from "./members.ts";
import type { RaftNetwork } from "./network.ts";
import type { Moment } from "./witness.ts";

/** What kind of trouble there is: at any time, and at the moments at which it hurts most. */
export interface Temper {
  /** The chance that a member has trouble just when it has done this. */
  readonly strikes: Readonly<Record<Moment, number>>;
  /** Between one trouble of any time and the next, at most. */
  readonly pauseMsMax: number;
  /** Whether who takes part in the group changes. */
  readonly changing: boolean;
  /** Whether who joins does not vote, as often as not. */
  readonly learning: boolean;
  /** Whether the group gets as small as one that votes alone. */
  readonly shrinking: boolean;
  /** Whether leaders hardly begin, each of another log than the last. */
  readonly hunting: boolean;
}

export interface TroubleOptions {
  readonly world: World;
  readonly network: RaftNetwork;
  readonly members: Members;
  readonly count: CountFault;
  readonly temper: Temper;
}

const NO_STRIKES = { led: 0, began: 0, committed: 0, voted: 0, changed: 0, restored: 0 };
const MOMENTS = Object.keys(NO_STRIKES) as readonly Moment[];
const RATES: readonly number[] = [0, 0.02, 0.1, 0.4];

/**
 * Trouble at any time in half of all worlds, but for those with members who do not vote; in the others also at some moments, of which one kind is
 * that leaders hardly begin.
 */
export function anyTemper(world: World, changing: boolean): Temper {
  const draw = world.below(10);
  const pauseMsMax = draw < 8 ? 700 : 6_000;
  const hunting = draw >= 8;
  const learning = changing && world.chance(0.3);
  const shrinking = changing && !learning && world.chance(0.4);
  const others = { changing, hunting, learning, pauseMsMax, shrinking };
  if (draw < 5) return { ...others, strikes: { ...NO_STRIKES, changed: learning ? 0.4 : 0 } };
  if (hunting) return { ...others, strikes: { ...NO_STRIKES, led: 0.5, began: 0.8 } };
  const rates = MOMENTS.map((moment) => {
    const rate = RATES[world.below(RATES.length)] ?? 0;
    // It is common.
    return [moment, moment === "committed" ? rate / 10 : rate] as const;
  });
  return { ...others, strikes: Object.fromEntries(rates) as Record<Moment, number> };
}

/** What happens to a group until there is peace. */
export class Trouble {
  readonly #options: TroubleOptions;
  #ended = false;
  /** How often the network was divided. */
  #divisionCount = 0;

  constructor(options: TroubleOptions) {
    this.#options = options;
  }

  /** Resolves after `forMs`; then nothing bad happens any more. */
  async make(forMs: number): Promise<void> {
    const { members, network, temper, world } = this.#options;
    while (world.nowMs < forMs) {
      await world.sleep(50 + world.below(temper.pauseMsMax));
      const draw = world.below(10);
      if (draw < 3) members.crash(this.#victim(), 2_000);
      else if (draw < 6) this.#divide();
      else if (draw === 6) this.#stop(members.any());
      else if (draw === 7) this.#transfer();
      else if (temper.changing) this.#change();
      else if (draw === 8) this.#campaign();
    }
    this.#ended = true;
    network.calm = true;
    members.makePeace();
    network.heal();
  }

  /** It, or its disk, does nothing for a while. */
  #stop(id: PeerId): void {
    const { members, world } = this.#options;
    if (world.chance(0.6)) members.pause(id, world.below(2_000));
    else members.hangDisk(id, world.chance(0.5) ? world.below(8_000) : undefined);
  }

  /** Any; in a group that gets small often the leader, for the others hardly matter. */
  #victim(): PeerId {
    const { members, temper, world } = this.#options;
    const leader = temper.shrinking && world.chance(0.6) ? members.leader() : undefined;
    return leader?.status.id ?? members.any();
  }

  /** `id` has just done that. */
  noteMoment(moment: Moment, id: PeerId): void {
    const { temper, world } = this.#options;
    if (this.#ended) return;
    if (moment === "changed") this.#noteChange(id);
    if (!world.chance(temper.strikes[moment])) return;
    if (temper.learning && moment === "changed" && !this.#hasLearners(id)) return;
    // In a turn of its own: what the member is in the middle of goes on until then.
    world.schedule(0, () => this.#strike(moment, id));
  }

  #strike(moment: Moment, id: PeerId): void {
    const { members, temper, world } = this.#options;
    if (this.#ended || !members.isAlive(id)) return;
    // Cut off, it keeps what only it has.
    const draw = temper.hunting ? 4 + world.below(4) : world.below(10);
    const change = moment === "changed" ? members.life(id)?.member?.status : undefined;
    if (change !== undefined && (temper.learning || draw < 5))
      this.#splitByChange(change.configuration, id);
    else this.#hit(id, draw);
    // Another one is not waited for.
    const campaignCount = temper.hunting ? 3 : world.below(2);
    for (let count = 0; count < campaignCount; count += 1)
      world.schedule(world.below(300 + 400 * count), () => this.#campaign());
  }

  /** `draw` is one of ten. */
  #hit(id: PeerId, draw: number): void {
    const { members, world } = this.#options;
    if (draw < 4) members.crash(id, 1_000);
    else if (draw < 7) this.#isolate(id, 0);
    else if (draw < 9) this.#isolate(id, 1 + world.below(members.ids.length >> 1));
    else members.pause(id, world.below(1_000));
  }

  /** A network in some shape. */
  #divide(): void {
    const { members, world } = this.#options;
    const draw = world.below(10);
    if (draw < 3) this.#divideInTwo(false);
    else if (draw < 5) this.#divideInTwo(true);
    else if (draw < 7) this.#isolate(members.any(), 0);
    else if (draw === 7) this.#isolate(members.any(), 1);
    else if (draw === 8) this.#bridge();
    else this.#putInARow();
  }

  /** Cuts `id` off from all but some. */
  #isolate(id: PeerId, keptCount: number): void {
    const { members, world } = this.#options;
    const others = members.ids.filter((other) => other !== id);
    const cut = new Set(others);
    while (cut.size > others.length - keptCount) {
      const kept = others[world.below(others.length)];
      if (kept !== undefined) cut.delete(kept);
    }
    this.#cutWhere(keptCount === 0 ? "alone" : "few_left", (from, to) => {
      return (from === id && cut.has(to)) || (to === id && cut.has(from));
    });
  }

  #divideInTwo(oneWay: boolean): void {
    const { members, world } = this.#options;
    const sides = new Map(members.ids.map((id) => [id, world.chance(0.5)]));
    this.#cutWhere(oneWay ? "one_way" : "halves", (from, to) => {
      const apart = world.chance(0.1) || sides.get(from) !== sides.get(to);
      return apart && (!oneWay || sides.get(from) === true);
    });
  }

  /** Two sides that know one member in common, and not each other. */
  #bridge(): void {
    const { members, world } = this.#options;
    const between = members.any();
    const sides = new Map(members.ids.map((id) => [id, world.chance(0.5)]));
    this.#cutWhere("bridge", (from, to) => {
      return from !== between && to !== between && sides.get(from) !== sides.get(to);
    });
  }

  /** Each knows the two beside it. */
  #putInARow(): void {
    const { ids } = this.#options.members;
    this.#cutWhere("in_a_row", (from, to) => {
      const apart = Math.abs(ids.indexOf(from) - ids.indexOf(to));
      return apart > 1 && apart < ids.length - 1;
    });
  }

  /**
   * As `id` knows the members: those who vote from now on are cut off from those who voted before; or it and all who do not vote, with as many
   * others as are no majority, from the rest.
   */
  #splitByChange({ learners, voters, votersOutgoing }: Configuration, id: PeerId): void {
    const minority = [...new Set([id, ...voters])].slice(0, (voters.size - 1) >> 1);
    const side = votersOutgoing.size > 0 ? voters : learners.union(new Set(minority));
    this.#cutWhere("split_by_change", (from, to) => side.has(from) !== side.has(to));
  }

  /** Divides the network anew, until it is divided otherwise or heals. */
  #cutWhere(shape: RaftFault, apart: (from: PeerId, to: PeerId) => boolean): void {
    const { count, members, network, world } = this.#options;
    count(shape);
    network.heal();
    this.#divisionCount += 1;
    const division = this.#divisionCount;
    for (const from of members.ids)
      for (const to of members.ids) if (from !== to && apart(from, to)) network.cut(from, to);
    world.schedule(100 + world.below(2_500), () => {
      if (division === this.#divisionCount) network.heal();
    });
  }

  #noteChange(id: PeerId): void {
    const { count, members } = this.#options;
    if (members.life(id)?.member?.status.role !== "leader") return;
    count("change");
    if (this.#isJoint(id)) count("joint_change");
  }

  /** Whether `id` leads some that do not vote, and no change is on its way. */
  #hasLearners(id: PeerId): boolean {
    const status = this.#options.members.life(id)?.member?.status;
    return (
      status?.role === "leader" && status.configuration.learners.size > 0 && !this.#isJoint(id)
    );
  }

  #isJoint(id: PeerId): boolean {
    const configuration = this.#options.members.life(id)?.member?.status.configuration;
    return configuration !== undefined && isJoint(configuration);
  }

  #transfer(): void {
    const { count, members } = this.#options;
    const leader = members.leader();
    if (leader === undefined) return;
    count("transfer");
    leader.transferLeader(members.any());
  }

  #campaign(): void {
    const { count, members } = this.#options;
    const life = members.life(members.any());
    if (life?.member === undefined || !life.process.alive || life.process.paused) return;
    count("campaign");
    life.member.campaign();
  }

  /** Asks the leader for other members, by a joint configuration or in one step. */
  #change(): void {
    const { members, temper, world } = this.#options;
    const leader = members.leader();
    if (leader === undefined) return;
    const wanted = this.#wanted(leader.status);
    if (wanted.size < (temper.shrinking ? 1 : 3)) return;
    const all = this.#operations(wanted, new Set(leader.status.members.keys()));
    const operations = world.chance(0.2) ? all.slice(0, 1) : all;
    if (operations.length === 0) return;
    try {
      leader.proposeChange({ transition: "auto", operations, context: "" });
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }

  /** All; or some few; or three that replace as many as can be; or any. */
  #wanted({ configuration, id }: Status): ReadonlySet<PeerId> {
    const { members, temper, world } = this.#options;
    if (temper.learning && world.chance(0.5)) return new Set(members.ids);
    if (temper.shrinking && world.chance(0.8))
      return new Set([
        world.chance(0.7) ? id : members.any(),
        ...(world.chance(0.3) ? [members.any()] : []),
      ]);
    const replaces = world.chance(0.5);
    return new Set(
      replaces
        ? this.#replacing(allVoters(configuration), id)
        : members.ids.filter(() => world.chance(0.7)),
    );
  }

  /** Three: the leader, and first of all those who do not vote. */
  #replacing(voters: ReadonlySet<PeerId>, leader: PeerId): readonly PeerId[] {
    const { members } = this.#options;
    const others = members.ids.filter((id) => id !== leader);
    const fresh = others.filter((id) => !voters.has(id));
    const old = others.filter((id) => voters.has(id));
    return [leader, ...fresh, ...old].slice(0, 3);
  }

  #operations(wanted: ReadonlySet<PeerId>, present: ReadonlySet<PeerId>): readonly Operation[] {
    const { members, temper, world } = this.#options;
    const learnerChance = temper.learning ? 0.7 : 0.2;
    return members.ids.flatMap((peer): Operation[] => {
      // Who hears what is agreed on goes on being read.
      if (temper.shrinking && !wanted.has(peer) && world.chance(0.8))
        return [{ kind: "add_learner", peer }];
      if (!wanted.has(peer)) return present.has(peer) ? [{ kind: "remove", peer }] : [];
      if (!present.has(peer))
        return [{ kind: world.chance(learnerChance) ? "add_learner" : "add_voter", peer }];
      return world.chance(0.2) ? [{ kind: "add_voter", peer }] : [];
    });
  }
}
