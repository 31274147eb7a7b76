import type { Chunks } from "../snapshot/snapshot-folder.ts";

/** What the group agreed on, at its place in the log. */
export interface Command {
  readonly index: number;
  readonly data: Uint8Array;
}

/**
 * What a group keeps: the same commands in the same order give the same state and the same answers on every member. No clock, no
 * chance, nothing of the outside. One call at a time.
 */
export interface StateMachine<Answer> {
  /** Applies `commands`, and answers each in order. What it rejects with ends the member. */
  apply(commands: readonly Command[]): Promise<readonly Answer[]> | readonly Answer[];
  /** The present state; the chunks are read later, and show it as it was at this call. */
  capture(): Chunks;
  /** Takes the place of the present state with what `capture` gave. */
  restore(chunks: AsyncIterable<Uint8Array>): Promise<void>;
}
