import type { Signal } from "#base/async.ts";
import type { DbError } from "#base/errors.ts";
import type { LogBuffer } from "#buffer/buffer.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { NodeLogState } from "#nodelog/node-log-state.ts";
import type { TrackerObserver } from "#objectlog/log-tracker.ts";

/** A node log that this process reads, its own or another's: the state, and the rows of the state in a buffer. */
export interface LogSource {
  readonly node: NodeNumber;
  readonly state: NodeLogState;
  readonly buffer: LogBuffer;
  /** Why it cannot be read on, so that no view of it would be whole; undefined when it can. */
  readonly trouble?: DbError | undefined;
}

/**
 * Keeps `buffer` in step with a node log: rows are in it before the state that names them is shown, and go only after a
 * state is shown that has them in files. So every state ever shown can be read.
 */
export function bufferObserver(buffer: LogBuffer, changed: Signal): TrackerObserver<NodeLogState> {
  return {
    onNext: (next) => buffer.addMissing(next.flushes),
    async onShown(state) {
      changed.notify();
      await buffer.retire(state.snapshotted);
    },
  };
}
