import { AppendList } from "#base/collection/append-list.ts";
import { type NodeLogState, nodeLogMachine } from "#nodelog/node-log-state.ts";
import { LogTracker } from "#objectlog/log-tracker.ts";
import type { ObjectLog } from "#objectlog/object-log.ts";

/**
 * What the node log in the store adds up to now, without its rows: all that its node had acknowledged when this was asked for is at or
 * below its position. The checkpoints are listed after the last entry was found missing (rule 5). `known` is an earlier state of the same
 * log, from which it is read on.
 */
export async function loadTail(log: ObjectLog, known?: NodeLogState): Promise<NodeLogState> {
  const machine = {
    empty: bare(known ?? nodeLogMachine.empty),
    apply: (state: NodeLogState, entry: Parameters<typeof nodeLogMachine.apply>[1]) =>
      bare(nodeLogMachine.apply(state, entry)),
    restore: (checkpoint: Parameters<typeof nodeLogMachine.restore>[0]) =>
      bare(nodeLogMachine.restore(checkpoint)),
  };
  const tracker = new LogTracker(log, machine);
  await tracker.advance({ certain: true });
  return tracker.state;
}

function bare(state: NodeLogState): NodeLogState {
  return { ...state, flushes: AppendList.of(), snapshots: [] };
}
