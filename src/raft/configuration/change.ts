/** Changes of the configuration, as they are proposed and as they stand in the log: docs/formats/raft-change.md. */
import { DbError } from "#base/errors.ts";
import { type Entry, type PeerId, type Proposal, peerId } from "../message.ts";

export const OPERATION_KINDS = ["add_voter", "add_learner", "remove", "update"] as const;
export const TRANSITIONS = ["auto", "implicit", "explicit"] as const;

/** What happens to one peer. `update` changes nothing here: it carries a context through the log. Peer 0 is passed over. */
export interface Operation {
  readonly kind: (typeof OPERATION_KINDS)[number];
  readonly peer: PeerId;
}

/**
 * How the change takes place: `auto` directly where it is one operation, else by a joint configuration that the leader leaves by
 * itself; `implicit` always by that; `explicit` by one that is left with a change of no operations.
 */
export type Transition = (typeof TRANSITIONS)[number];

export interface Change {
  readonly transition: Transition;
  readonly operations: readonly Operation[];
  /** For the application, as addresses of new members. */
  readonly context: string;
}

/** The change that leaves a joint configuration. Its entry holds no bytes, so it never counts against a limit. */
export const LEAVE_JOINT: Change = { transition: "auto", operations: [], context: "" };

/** Whether `change` leaves a joint configuration. */
export function leavesJoint({ transition, operations }: Change): boolean {
  return transition === "auto" && operations.length === 0;
}

/** Whether `change` goes by a joint configuration. */
export function entersJoint(change: Change): boolean {
  return !leavesJoint(change) && (change.transition !== "auto" || change.operations.length > 1);
}

export function encodeChange(change: Change): Proposal {
  if (leavesJoint(change) && change.context === "") {
    return { kind: "change", data: new Uint8Array() };
  }
  return { kind: "change", data: new TextEncoder().encode(JSON.stringify(change)) };
}

/** One operation that takes place directly, whatever else is asked for. */
export function encodeSingleChange(operation: Operation): Proposal {
  const change: Change = { transition: "auto", operations: [operation], context: "" };
  const data = new TextEncoder().encode(JSON.stringify(change));
  return { kind: "single_change", data };
}

/**
 * The change of `entry`; undefined where it is no change.
 *
 * Throws `corrupt` / `raft_change_damaged` where its bytes are none.
 */
export function decodeChange(entry: Entry | Proposal): Change | undefined {
  if (entry.kind === "normal") return undefined;
  if (entry.data.length === 0) return LEAVE_JOINT;
  try {
    return readChange(JSON.parse(new TextDecoder().decode(entry.data)));
  } catch (cause) {
    throw new DbError("corrupt", "raft_change_damaged", "an entry holds no change of members", {
      detail: "index" in entry ? { index: entry.index, term: entry.term } : {},
      cause,
    });
  }
}

function readChange(value: unknown): Change {
  const { transition, operations, context } = record(value);
  const known = TRANSITIONS.find((one) => one === transition);
  if (known === undefined || !Array.isArray(operations) || typeof context !== "string") {
    throw new TypeError("a change has a transition, operations and a context");
  }
  return { transition: known, operations: operations.map(readOperation), context };
}

function readOperation(value: unknown): Operation {
  const { kind, peer } = record(value);
  const known = OPERATION_KINDS.find((one) => one === kind);
  if (known === undefined || typeof peer !== "number" || !Number.isSafeInteger(peer) || peer < 0) {
    throw new TypeError("an operation has a kind and the number of a peer");
  }
  return { kind: known, peer: peerId(peer) };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new TypeError("it is no record");
  return { ...value };
}
