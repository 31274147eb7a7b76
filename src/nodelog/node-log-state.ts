import { AppendList } from "#base/collection/append-list.ts";
import { DbError } from "#base/errors.ts";
import type { Flush } from "#model/flush.ts";
import type { Epoch, Position } from "#model/ids.ts";
import { type OrderStamp, STAMP_NONE } from "#model/stamp.ts";
import type { LogMachine } from "#objectlog/log-tracker.ts";
import {
  foreignRecord,
  type LogEntry,
  NEEDS_NOTHING,
  type Needs,
  needsOfBoth,
  requireKind,
} from "#objectlog/record.ts";
import {
  decodeCheckpoint,
  decodeFlush,
  decodeSnapshot,
  type Fence,
  type Snapshot,
} from "./records.ts";

/** What a node log adds up to at `position`. A value. */
export interface NodeLogState {
  readonly position: Position;
  /** The highest epoch that has written; 0 before the first fence. */
  readonly epoch: Epoch;
  readonly fences: readonly Fence[];
  /** Of the last flush, whether its rows are in files by now or not. */
  readonly lastStamp: OrderStamp;
  /** Rows up to here are in files. */
  readonly snapshotted: Position;
  /** Snapshots whose files the manifest may not have adopted yet, oldest first. */
  readonly snapshots: readonly Snapshot[];
  /** Flushes above `snapshotted`, oldest first. */
  readonly flushes: AppendList<Flush>;
  /** What a view must hold of the shared logs to show this state. */
  readonly needs: Needs;
}

const EMPTY: NodeLogState = {
  position: 0,
  epoch: 0,
  fences: [],
  lastStamp: STAMP_NONE,
  snapshotted: 0,
  snapshots: [],
  flushes: AppendList.of(),
  needs: NEEDS_NOTHING,
};

export const nodeLogMachine = {
  empty: EMPTY,
  apply: applyEntry,
  restore: restoreCheckpoint,
} satisfies LogMachine<NodeLogState>;

/** Where the manifest has taken over a node log, and the manifest position that says so. */
export interface Adopted {
  readonly position: Position;
  readonly manifest: Position;
}

/** `state` without the snapshots that the manifest has adopted; it then needs that manifest. */
export function withoutAdopted(state: NodeLogState, adopted: Adopted): NodeLogState {
  const snapshots = state.snapshots.filter(({ through }) => through > adopted.position);
  if (snapshots.length === state.snapshots.length) return state;
  const needs = needsOfBoth(state.needs, { catalog: 0, manifest: adopted.manifest });
  return { ...state, snapshots, needs };
}

function applyEntry(state: NodeLogState, entry: LogEntry): NodeLogState {
  const isFence = entry.kind === "fence";
  if (isFence ? entry.epoch <= state.epoch : entry.epoch !== state.epoch) {
    throw new DbError(
      "corrupt",
      "log_epoch_wrong",
      `entry ${entry.position} (${entry.kind}) of the log of node ${entry.node} is of epoch ${entry.epoch} after epoch ${state.epoch}, and a fence begins each epoch: the log is damaged`,
      { detail: { node: entry.node, position: entry.position, epoch: entry.epoch } },
    );
  }
  const next: NodeLogState = {
    ...state,
    position: entry.position,
    epoch: entry.epoch,
    needs: needsOfBoth(state.needs, entry.needs),
  };
  switch (entry.kind) {
    case "fence":
      return {
        ...next,
        fences: [...state.fences, { epoch: entry.epoch, position: entry.position }],
      };
    case "flush": {
      const flush = decodeFlush(entry);
      return { ...next, lastStamp: flush.stamp, flushes: state.flushes.push(flush) };
    }
    case "snapshot":
      return applySnapshot(next, decodeSnapshot(entry));
    default:
      throw foreignRecord(entry, `the log of node ${entry.node}`);
  }
}

function restoreCheckpoint(checkpoint: LogEntry): NodeLogState {
  requireKind(checkpoint, "node_checkpoint");
  return decodeCheckpoint(checkpoint);
}

function applySnapshot(state: NodeLogState, snapshot: Snapshot): NodeLogState {
  return {
    ...state,
    snapshotted: snapshot.through,
    snapshots: [...state.snapshots, snapshot],
    flushes: state.flushes.filter(({ position }) => position > snapshot.through),
  };
}
