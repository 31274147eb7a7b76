/**
 * What a change makes of a configuration (raft dissertation §4). Any quorum of the old and any quorum of the new one share a peer: a
 * direct change adds or removes one voter, all others go by a joint configuration.
 */
import type { PeerId } from "../message.ts";
import { type Change, entersJoint, leavesJoint, type Operation } from "./change.ts";
import { type Configuration, isJoint } from "./configuration.ts";

/** Why a change cannot be made of a configuration. */
export type ChangeProblem =
  | "already_joint"
  | "not_joint"
  | "joint_without_voters"
  | "direct_while_joint"
  | "several_voters_directly"
  | "no_voters_left";

export type Changed = Configuration | { readonly problem: ChangeProblem };

/** The configuration after `change`, by the way that it asks for. */
export function changeConfiguration(configuration: Configuration, change: Change): Changed {
  if (leavesJoint(change)) return leaveJoint(configuration);
  if (!entersJoint(change)) return changeDirectly(configuration, change.operations);
  return enterJoint(configuration, change.operations, change.transition !== "explicit");
}

/** Adds or removes at most one voter, and any number of learners. */
export function changeDirectly(
  configuration: Configuration,
  operations: readonly Operation[],
): Changed {
  if (isJoint(configuration)) return { problem: "direct_while_joint" };
  const changed = operate(configuration, operations);
  if ("problem" in changed) return changed;
  const differing = configuration.voters.symmetricDifference(changed.voters);
  return differing.size > 1 ? { problem: "several_voters_directly" } : changed;
}

/** The joint configuration of the voters that there are and those after `operations`. */
export function enterJoint(
  configuration: Configuration,
  operations: readonly Operation[],
  autoLeave: boolean,
): Changed {
  if (isJoint(configuration)) return { problem: "already_joint" };
  if (configuration.voters.size === 0) return { problem: "joint_without_voters" };
  const votersOutgoing = new Set(configuration.voters);
  return operate({ ...configuration, votersOutgoing, autoLeave }, operations);
}

/** The incoming half alone; voters of the other that were to become learners are that now. */
export function leaveJoint(configuration: Configuration): Changed {
  if (!isJoint(configuration)) return { problem: "not_joint" };
  return {
    voters: configuration.voters,
    votersOutgoing: new Set(),
    learners: configuration.learners.union(configuration.learnersNext),
    learnersNext: new Set(),
    autoLeave: false,
  };
}

/** A configuration of which an operation makes the next. */
interface Draft {
  readonly voters: Set<PeerId>;
  readonly votersOutgoing: ReadonlySet<PeerId>;
  readonly learners: Set<PeerId>;
  readonly learnersNext: Set<PeerId>;
  readonly autoLeave: boolean;
}

function operate(configuration: Configuration, operations: readonly Operation[]): Changed {
  const draft: Draft = {
    voters: new Set(configuration.voters),
    votersOutgoing: configuration.votersOutgoing,
    learners: new Set(configuration.learners),
    learnersNext: new Set(configuration.learnersNext),
    autoLeave: configuration.autoLeave,
  };
  for (const operation of operations) {
    if (operation.peer !== 0) apply(draft, operation);
  }
  return draft.voters.size === 0 ? { problem: "no_voters_left" } : draft;
}

function apply(draft: Draft, { kind, peer }: Operation): void {
  if (kind === "update") return;
  draft.voters.delete(peer);
  draft.learners.delete(peer);
  draft.learnersNext.delete(peer);
  if (kind === "add_voter") draft.voters.add(peer);
  // Who votes in the outgoing half cannot be a learner as long as that half is asked.
  if (kind === "add_learner") {
    (draft.votersOutgoing.has(peer) ? draft.learnersNext : draft.learners).add(peer);
  }
}
