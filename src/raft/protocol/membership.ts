/** How a change of the configuration that was committed takes force. */
import { assert } from "#base/errors.ts";
import type { Change } from "../configuration/change.ts";
import { changeConfiguration } from "../configuration/changer.ts";
import {
  type Configuration,
  configurationState,
  restoreConfiguration,
} from "../configuration/configuration.ts";
import { type ConfigurationState, NOBODY, type Snapshot } from "../message.ts";
import { allVoters } from "../quorum/joint.ts";
import { broadcastAppend, maybeCommit, sendAppend } from "./replication.ts";
import { becomeFollower } from "./roles.ts";
import type { RaftState } from "./state.ts";

/** Puts `change` in force. Every node does so when it applies the entry. */
export function applyChange(raft: RaftState, change: Change): ConfigurationState {
  const changed = changeConfiguration(raft.tracker.configuration, change);
  assert(
    !("problem" in changed),
    `a change was committed that cannot be made: ${"problem" in changed ? changed.problem : ""}`,
  );
  raft.tracker.configure(changed, raft.log.lastIndex());
  settle(raft, changed);
  return configurationState(changed);
}

/** Takes the configuration over that came with a snapshot or stands in the storage. */
export function restoreMembers(raft: RaftState, state: Snapshot["configuration"]): void {
  raft.tracker.restore(restoreConfiguration(state), raft.log.lastIndex());
}

function settle(raft: RaftState, configuration: Configuration): void {
  if (raft.role !== "leader") return;
  const voters = allVoters(configuration);
  // One that is in neither half, or a learner, leads no longer than it must: until it applies that, here.
  if (!raft.tracker.progress.has(raft.id) || raft.tracker.isLearner(raft.id)) {
    if (raft.options.stepDownOnRemoval) becomeFollower(raft, raft.term, NOBODY);
    return;
  }
  if (maybeCommit(raft)) {
    // Fewer voters may need less.
    broadcastAppend(raft);
  } else {
    for (const id of raft.tracker.progress.keys()) {
      if (id !== raft.id) sendAppend(raft, id, false);
    }
  }
  if (raft.transferee !== NOBODY && !voters.has(raft.transferee)) raft.transferee = NOBODY;
}
