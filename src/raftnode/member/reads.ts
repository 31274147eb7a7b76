import { DbError } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { ReadState } from "#raft/message.ts";
import { Waiting } from "./waiting.ts";

const WAITING_COUNT_MAX = 10_000;
const LIMIT_MS = 10_000;
/** A question that is not answered is asked again: it may have been lost with a leader. */
const AGAIN_MS = 200;

interface Question {
  readonly context: string;
  readonly numbers: readonly number[];
  readonly askedMs: number;
}

/**
 * Reads that wait for the index at which they see all that was done before they came. One question to the leader serves all reads
 * that came before it was asked; those that come later wait for the next one.
 */
export class Reads {
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #ask: (context: string) => void;
  readonly #waiting = new Waiting<number, void>(WAITING_COUNT_MAX, LIMIT_MS);
  #next: number[] = [];
  #asked: Question | undefined;
  /** Reads whose index is known, and not applied yet. */
  #confirmed: { readonly index: number; readonly numbers: readonly number[] }[] = [];
  #number = 0;
  #questionCount = 0;

  /** `prefix` tells questions of this run from those of all others. */
  constructor(clock: Clock, prefix: string, ask: (context: string) => void) {
    this.#clock = clock;
    this.#prefix = prefix;
    this.#ask = ask;
  }

  /** Resolves when a read of the state machine sees all that was done before this call. */
  async add(): Promise<void> {
    this.#number += 1;
    const done = this.#waiting.wait(this.#number, this.#clock.monotonicMs());
    this.#next.push(this.#number);
    this.#askNext();
    return done;
  }

  /** An answer came; an old question's is worth nothing to those who came after it, and nobody else waits for it. */
  confirm({ context, index }: ReadState): void {
    const asked = this.#asked;
    if (asked?.context !== context) return;
    this.#asked = undefined;
    this.#confirmed.push({ index, numbers: asked.numbers });
    this.#askNext();
  }

  applied(index: number): void {
    if (this.#confirmed.length === 0) return;
    const ready = this.#confirmed.filter((read) => read.index <= index);
    this.#confirmed = this.#confirmed.filter((read) => read.index > index);
    for (const { numbers } of ready)
      for (const number of numbers) this.#waiting.resolve(number, undefined);
  }

  /** Gives up those whose time is up, and asks again where no answer came. */
  expire(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#waiting.expire(nowMs, notConfirmed(`no answer of a leader for ${LIMIT_MS} ms`));
    const waits = (number: number) => this.#waiting.has(number);
    this.#confirmed = this.#confirmed.filter(({ numbers }) => numbers.some(waits));
    if (this.#asked === undefined || nowMs - this.#asked.askedMs < AGAIN_MS) return;
    // A later question serves earlier reads as well.
    this.#next = [...this.#asked.numbers, ...this.#next].filter(waits);
    this.#asked = undefined;
    this.#askNext();
  }

  close(): void {
    this.#next = [];
    this.#asked = undefined;
    this.#confirmed = [];
    this.#waiting.rejectAll(notConfirmed("the member has stopped"));
  }

  #askNext(): void {
    if (this.#asked !== undefined || this.#next.length === 0) return;
    this.#questionCount += 1;
    const context = `${this.#prefix}/${this.#questionCount}`;
    this.#asked = { context, numbers: this.#next, askedMs: this.#clock.monotonicMs() };
    this.#next = [];
    this.#ask(context);
  }
}

function notConfirmed(why: string): DbError {
  return new DbError(
    "unavailable",
    "raft_read_unconfirmed",
    `The raft group does not confirm that this member is up to date: ${why}. Try again, here or at another member.`,
  );
}
