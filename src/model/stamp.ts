import { assert } from "#base/errors.ts";
import type { NodeNumber } from "./ids.ts";

/**
 * Order stamp of one flush, 63 bits, so that it is positive as a signed BIGINT:
 *
 *     | 41 bits milliseconds since 2020-01-01 | 8 bits counter | 14 bits node number |
 *
 * A hybrid clock: it follows the node's clock but never falls, and moves above every stamp it is shown.
 * The newest stamp wins where two rows have the same series, time and field (promise 5).
 */
export type OrderStamp = bigint;

const STAMP_START_MS = 1_577_836_800_000n;
const COUNTER_BITS = 8n;
const NODE_BITS = 14n;

export const NODE_NUMBER_MAX = 2 ** 14 - 1;
/** Below every stamp. */
export const STAMP_NONE: OrderStamp = 0n;

/** The least stamp of `node` that is above `floor` and not before the clock's `nowNs`. */
export function nextStamp(node: NodeNumber, nowNs: bigint, floor: OrderStamp): OrderStamp {
  assert(node > 0 && node <= NODE_NUMBER_MAX, `node number ${node} does not fit into a stamp`);
  const clock = nowNs / 1_000_000n - STAMP_START_MS;
  const byClock = (clock > 0n ? clock : 0n) << COUNTER_BITS;
  const byFloor = (floor >> NODE_BITS) + 1n;
  const high = byClock > byFloor ? byClock : byFloor;
  return (high << NODE_BITS) | BigInt(node);
}

/** The millisecond of a flush, by the clock of its node or of one that was ahead; in nanoseconds since the epoch. */
export function timeOfStamp(stamp: OrderStamp): bigint {
  return ((stamp >> (NODE_BITS + COUNTER_BITS)) + STAMP_START_MS) * 1_000_000n;
}

/** The node whose flush has this stamp. */
export function nodeOfStamp(stamp: OrderStamp): NodeNumber {
  return Number(stamp & BigInt(NODE_NUMBER_MAX)) as NodeNumber;
}
