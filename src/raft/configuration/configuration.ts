import type { ConfigurationState, PeerId } from "../message.ts";
import { allVoters, type JointQuorum } from "../quorum/joint.ts";

/** Who is a member, and how. A value: a change makes another one. */
export interface Configuration extends JointQuorum {
  /** Get the log, and do not vote. */
  readonly learners: ReadonlySet<PeerId>;
  /** Voters of the outgoing half that become learners when it is left. */
  readonly learnersNext: ReadonlySet<PeerId>;
  /** The leader leaves the joint configuration by itself, once it is applied. */
  readonly autoLeave: boolean;
}

export const EMPTY_CONFIGURATION: Configuration = {
  voters: new Set(),
  votersOutgoing: new Set(),
  learners: new Set(),
  learnersNext: new Set(),
  autoLeave: false,
};

export function isJoint({ votersOutgoing }: JointQuorum): boolean {
  return votersOutgoing.size > 0;
}

/** All that the leader sends to, in rising order. */
export function members(configuration: Configuration): readonly PeerId[] {
  return sorted(allVoters(configuration).union(configuration.learners));
}

export function configurationState(configuration: Configuration): ConfigurationState {
  return {
    voters: sorted(configuration.voters),
    votersOutgoing: sorted(configuration.votersOutgoing),
    learners: sorted(configuration.learners),
    learnersNext: sorted(configuration.learnersNext),
    autoLeave: configuration.autoLeave,
  };
}

/** The configuration that a snapshot or the storage names. */
export function restoreConfiguration(state: ConfigurationState): Configuration {
  return {
    voters: new Set(state.voters),
    votersOutgoing: new Set(state.votersOutgoing),
    learners: new Set(state.learners),
    learnersNext: new Set(state.learnersNext),
    autoLeave: state.autoLeave,
  };
}

function sorted(ids: ReadonlySet<PeerId>): readonly PeerId[] {
  return [...ids].toSorted((one, other) => one - other);
}
