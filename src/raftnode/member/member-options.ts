import type { Clock } from "#ports/clock.ts";
import type { FileSystem } from "#ports/file-system.ts";
import type { Log } from "#ports/log.ts";
import type { Random } from "#ports/random.ts";
import type { Change } from "#raft/configuration/change.ts";
import type { ConfigurationState, PeerId } from "#raft/message.ts";
import type { RaftNode } from "#raft/node.ts";
import { RAFT_DEFAULTS, type RaftOptions } from "#raft/options.ts";
import type { DurableLog } from "../log/durable-log.ts";
import type { RaftTransport } from "../transport/transport.ts";
import type { StateMachine } from "./state-machine.ts";

/** A leader that is silent for 400 to 800 ms is deposed. Many short ticks: it is rare that two campaign in the same one, and neither wins. */
const TICK_MS = 20;

/** What a member has where its options do not say otherwise. */
export const MEMBER_DEFAULTS = {
  tickMs: TICK_MS,
  snapshotEntryCount: 50_000,
  snapshotBytes: 64 * 2 ** 20,
  keptEntryCount: 5_000,
} as const;

export const CORE_DEFAULTS = {
  ...RAFT_DEFAULTS,
  heartbeatTicks: 2,
  electionTicks: 20,
  // A proposal that is sent on could be lost or doubled on the way; who proposes asks the leader itself.
  forwardProposals: false,
} as const satisfies Partial<RaftOptions>;

export interface MemberOptions<Answer> {
  readonly id: PeerId;
  /** Its log and its snapshots are in folders of this one. */
  readonly folder: string;
  readonly machine: StateMachine<Answer>;
  readonly files: FileSystem;
  readonly transport: RaftTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /**
   * Who is in the group when it begins; the same for all of these, whose state machines are empty and equal then. Counts only where the folder
   * is new. Undefined for a member that joins: it knows nobody until a leader tells it.
   */
  readonly founders?: readonly PeerId[];
  readonly tickMs?: number;
  /** A snapshot is made after so many entries, or bytes of them. */
  readonly snapshotEntryCount?: number;
  readonly snapshotBytes?: number;
  readonly keptEntryCount?: number;
  readonly segmentSize?: number;
  readonly raft?: Partial<RaftOptions>;
  /** A change of the group is in force here. */
  readonly changed?: (configuration: ConfigurationState, change: Change) => void;
  /** After each turn of the core, with what is durable: for who sees to it that raft keeps its promises. */
  readonly turned?: (core: RaftNode, durable: DurableLog) => void;
  /** It works no more, because its disk or its state machine does not: end the process, see to that, start again. */
  readonly failed: (error: unknown) => void;
}

/** With nothing left open. */
export type SettledOptions<Answer> = MemberOptions<Answer> &
  Required<Pick<MemberOptions<Answer>, keyof typeof MEMBER_DEFAULTS>>;
