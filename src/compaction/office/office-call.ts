/** What compact nodes ask each other: whether the one in office still is. */
import { fromUtf8, utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { v } from "#base/schema.ts";
import type { Epoch, NodeNumber } from "#model/ids.ts";

/** Where a standby asks the one in office. */
export const OFFICE_PATH = "/api/v3/tidelake/office";

/** `node` stands by. */
export interface OfficeAsk {
  readonly node: NodeNumber;
}

/** Of node `node`: the term that it is in, 0 for none. */
export interface OfficeAnswer {
  readonly node: NodeNumber;
  readonly term: Epoch;
}

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const askSchema = v.object({ node: whole });
const answerSchema = v.object({ node: whole, term: whole });

export function encodeOfficeCall(call: OfficeAsk | OfficeAnswer): Uint8Array {
  return utf8(JSON.stringify(call));
}

/** Reads the body of a question; throws `invalid` / `office_ask_malformed` where it is something else. */
export function decodeOfficeAsk(body: Uint8Array): OfficeAsk {
  try {
    const { node } = v.parse(askSchema, JSON.parse(fromUtf8(body)));
    return { node: node as NodeNumber };
  } catch (cause) {
    throw new DbError(
      "invalid",
      "office_ask_malformed",
      "this is not the question of a compact node that stands by",
      { cause },
    );
  }
}

/** Reads an answer; undefined where it is something else. */
export function decodeOfficeAnswer(body: Uint8Array): OfficeAnswer | undefined {
  try {
    const { node, term } = v.parse(answerSchema, JSON.parse(fromUtf8(body)));
    return { node: node as NodeNumber, term };
  } catch {
    return undefined;
  }
}
