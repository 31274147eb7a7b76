/** What nodes ask each other every second: how far the logs go, as the one that is asked knows (decision 0018). */
import { fromUtf8, utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { v } from "#base/schema.ts";
import type { Epoch, NodeNumber, Position } from "#model/ids.ts";

/** Where a node is asked. */
export const STANDING_PATH = "/api/v3/tidelake/standing";

/** Node `node` asks, and has read the catalog up to `catalog`. */
export interface StandingAsk {
  readonly node: NodeNumber;
  readonly catalog: Position;
}

/** A log had nothing above `position`, `ageMs` before the answer. */
export interface LogEnd {
  readonly position: Position;
  readonly ageMs: number;
}

/**
 * What node `node` said of itself in its epoch `epoch`, `ageMs` before the answer: all that it had acknowledged stands in its log at or below
 * `tail`, which is absent where it cannot say that.
 */
export interface Word {
  readonly node: NodeNumber;
  readonly epoch: Epoch;
  readonly tail?: Position | undefined;
  readonly ageMs: number;
}

/** The answer of node `node`: the shared logs, and its own word with those of others that it has had of late. */
export interface Standing {
  readonly node: NodeNumber;
  readonly catalog: LogEnd;
  readonly manifest: LogEnd;
  readonly words: readonly Word[];
}

const position = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const number = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const ageMs = v.pipe(v.number(), v.finite(), v.minValue(0));
const logEnd = v.object({ position, ageMs });
const askSchema = v.object({ node: number, catalog: position });
const standingSchema = v.object({
  node: number,
  catalog: logEnd,
  manifest: logEnd,
  words: v.array(v.object({ node: number, epoch: number, tail: v.optional(position), ageMs })),
});

export function encodeStandingAsk(ask: StandingAsk): Uint8Array {
  return utf8(JSON.stringify(ask));
}

/** Reads the body of a question; throws `invalid` / `standing_ask_malformed` where it is something else. */
export function decodeStandingAsk(body: Uint8Array): StandingAsk {
  try {
    const { node, catalog } = v.parse(askSchema, JSON.parse(fromUtf8(body)));
    return { node: node as NodeNumber, catalog };
  } catch (cause) {
    throw new DbError(
      "invalid",
      "standing_ask_malformed",
      "this is not what a node asks another about their logs",
      { cause },
    );
  }
}

export function encodeStanding(standing: Standing): Uint8Array {
  return utf8(JSON.stringify(standing));
}

/** Reads an answer; undefined where it is something else. */
export function decodeStanding(body: Uint8Array): Standing | undefined {
  try {
    const { node, words, ...logs } = v.parse(standingSchema, JSON.parse(fromUtf8(body)));
    return {
      ...logs,
      node: node as NodeNumber,
      words: words.map((word) => ({ ...word, node: word.node as NodeNumber })),
    };
  } catch {
    return undefined;
  }
}
