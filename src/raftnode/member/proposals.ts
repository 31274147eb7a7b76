import { DbError } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { Random } from "#ports/random.ts";
import type { Entry, PeerId, Proposal } from "#raft/message.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";
import { busyError, Waiting } from "./waiting.ts";

/** Who proposed, and which of its proposals it is; stands before the data of each entry. */
const ID_SIZE = 16;
const PROPOSAL_SIZE_MAX = 16 * 2 ** 20;
const WAITING_COUNT_MAX = 10_000;
const QUEUE_BYTES_MAX = 64 * 2 ** 20;
/** Of data that the core is given at once; a larger proposal goes alone. */
const TURN_BYTES_MAX = 2 ** 20;
const LIMIT_MS = 10_000;

export interface ProposedCommand {
  readonly session: number;
  readonly number: number;
  readonly data: Uint8Array;
}

/** What was proposed here: first it waits for a turn, then for the group. */
export class Proposals<Answer> {
  readonly #clock: Clock;
  /** Tells proposals of this run from those of all others. */
  readonly #session: number;
  readonly #waiting = new Waiting<number, Answer>(WAITING_COUNT_MAX, LIMIT_MS);
  #queue: { readonly number: number; readonly proposal: Proposal }[] = [];
  #queueBytes = 0;
  #number = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#session = Math.floor(random.next() * 2 ** 53);
  }

  get queued(): boolean {
    return this.#queue.length > 0;
  }

  /** Resolves with the answer of the state machine; see `RaftMember.propose`. */
  async add(data: Uint8Array): Promise<Answer> {
    if (data.length > PROPOSAL_SIZE_MAX)
      throw new DbError(
        "exceeded",
        "raft_proposal_too_large",
        `A proposal of ${data.length} bytes is above the limit of ${PROPOSAL_SIZE_MAX}.`,
        { detail: { sizeBytes: data.length, sizeBytesMax: PROPOSAL_SIZE_MAX } },
      );
    if (this.#queueBytes + data.length > QUEUE_BYTES_MAX)
      throw busyError(`${this.#queueBytes} bytes wait already`);
    this.#number += 1;
    const number = this.#number;
    const answered = this.#waiting.wait(number, this.#clock.monotonicMs());
    const writer = new ByteWriter();
    writer.u64(this.#session);
    writer.u64(number);
    writer.bytes(data);
    this.#queue.push({ number, proposal: { kind: "normal", data: writer.done() } });
    this.#queueBytes += ID_SIZE + data.length;
    return answered;
  }

  /** The next proposals for the core. */
  takeTurn(): readonly { readonly number: number; readonly proposal: Proposal }[] {
    let sizeBytes = 0;
    let count = 0;
    for (const { proposal } of this.#queue) {
      if (count > 0 && sizeBytes + proposal.data.length > TURN_BYTES_MAX) break;
      sizeBytes += proposal.data.length;
      count += 1;
    }
    this.#queueBytes -= sizeBytes;
    return this.#queue.splice(0, count);
  }

  /** The core did not take it: it has not happened, and will not. */
  refuse(number: number, error: DbError): void {
    this.#waiting.reject(number, error);
  }

  answer({ number, session }: ProposedCommand, answer: Answer): void {
    if (session === this.#session) this.#waiting.resolve(number, answer);
  }

  expire(): void {
    this.#waiting.expire(this.#clock.monotonicMs(), unknownOutcome(`nothing for ${LIMIT_MS} ms`));
  }

  close(): void {
    this.#queue = [];
    this.#queueBytes = 0;
    this.#waiting.rejectAll(unknownOutcome("the member has stopped"));
  }
}

/** What stands in an entry of the group; undefined in an empty one. */
export function decodeProposed({ data }: Entry): ProposedCommand | undefined {
  if (data.length === 0) return undefined;
  const reader = new ByteReader(data);
  return { session: reader.u64(), number: reader.u64(), data: data.subarray(ID_SIZE) };
}

/** Whoever proposed must look whether it has happened. */
function unknownOutcome(why: string): DbError {
  return new DbError(
    "unavailable",
    "raft_outcome_unknown",
    `Whether the group has taken or will take this is not known: ${why}. Read before you try again.`,
  );
}

export function notLeaderError(leader: PeerId): DbError {
  const where = leader === 0 ? "no leader is known" : `the leader is ${leader}`;
  return new DbError(
    "unavailable",
    "raft_not_leader",
    `This member of the raft group is not its leader; ${where}. Nothing was proposed.`,
    { detail: { leader } },
  );
}
