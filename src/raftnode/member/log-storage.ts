import type { LogStorage } from "#raft/log/storage.ts";
import type { ConfigurationState, Entry, HardState, PeerId, Snapshot } from "#raft/message.ts";
import type { LogState } from "../log/log-state.ts";

const NO_MEMBERS: ConfigurationState = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

/**
 * What is durable, as the core reads it. A snapshot's state travels beside its message. While `snapshotDue`, a newer one is made: the
 * present one is of no use to members that it does not know.
 */
export function logStorage(state: LogState, snapshotDue: () => boolean): LogStorage {
  return {
    initialState(): { hardState: HardState; configuration: ConfigurationState } {
      return {
        hardState: state.hardState,
        configuration: state.mark?.configuration ?? NO_MEMBERS,
      };
    },
    firstIndex: () => state.firstIndex,
    lastIndex: () => state.lastIndex,
    term: (index) => state.term(index),
    entries(start, end, sizeBytesMax): readonly Entry[] | undefined {
      return start < state.firstIndex ? undefined : state.slice(start, end, sizeBytesMax);
    },
    snapshot(): Snapshot | undefined {
      const { mark } = state;
      return mark === undefined || snapshotDue() ? undefined : { ...mark, data: new Uint8Array() };
    },
  };
}

/** Whether somebody is in `configuration` whom `known` does not have: who is not in a snapshot cannot begin with it. */
export function hasNewMember(
  configuration: ConfigurationState,
  known: ConfigurationState,
): boolean {
  const members = new Set(membersOf(known));
  return membersOf(configuration).some((member) => !members.has(member));
}

function membersOf(configuration: ConfigurationState): readonly PeerId[] {
  const { learners, learnersNext, voters, votersOutgoing } = configuration;
  return [...voters, ...votersOutgoing, ...learners, ...learnersNext];
}
