import { assert } from "#base/errors.ts";
import { bigintText, decodeStored, v } from "#base/schema.ts";
import type { Epoch, NodeNumber, Position } from "#model/ids.ts";
import { type OrderStamp, STAMP_NONE } from "#model/stamp.ts";
import { dataFileSchema } from "#objectlog/data-file-record.ts";
import {
  foreignRecord,
  type LogEntry,
  NEEDS_NOTHING,
  type Needs,
  needsOfBoth,
} from "#objectlog/record.ts";
import type { SharedMachine, Writer } from "#objectlog/shared-log.ts";
import { ManifestFiles } from "./manifest-files.ts";

/** Which files hold the rows of all node logs up to `adopted`, at one position. A value. */
export interface ManifestState {
  readonly position: Position;
  readonly files: ManifestFiles;
  readonly adopted: ReadonlyMap<NodeNumber, AdoptedLog>;
  /** Files that are in the state no more and may still be in the store, by the entry that replaced them, oldest first. */
  readonly replaced: readonly ReplacedFiles[];
  /** The term of the compactor that is in office; epoch 0 before the first. */
  readonly office: Writer;
  /** The highest epoch of each node that has written here. */
  readonly writers: ReadonlyMap<NodeNumber, Epoch>;
  readonly needs: Needs;
}

/** How far the manifest has taken over a node log. */
export interface AdoptedLog {
  readonly position: Position;
  /** Of the last flush at or below `position`. */
  readonly stamp: OrderStamp;
}

/** The inputs of one replacement. Their names are used once, so no later state can hold them again. */
export interface ReplacedFiles {
  readonly position: Position;
  readonly keys: readonly string[];
}

/** More replaced files than this are not remembered: the oldest are then left to those who look for orphans. */
export const REPLACED_KEYS_MAX = 100_000;

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const nodeNumber = v.pipe(
  whole,
  v.transform((number) => number as NodeNumber),
);
const adoptSchema = v.object({
  node: nodeNumber,
  through: whole,
  stamp: bigintText,
  files: v.array(dataFileSchema),
});
const replaceSchema = v.object({
  inputs: v.array(v.string()),
  outputs: v.array(dataFileSchema),
  collected: v.optional(whole),
});
const takeOverSchema = v.object({ office: whole });
/** A node log up to `through` is in `files`. */
export type Adopt = v.InferOutput<typeof adoptSchema>;
/** `outputs` hold what `inputs`, by key, held. What entries at or below `collected` have replaced is deleted. */
export type Replace = v.InferOutput<typeof replaceSchema>;

const EMPTY: ManifestState = {
  position: 0,
  files: ManifestFiles.of([]),
  adopted: new Map(),
  replaced: [],
  office: { node: 0 as NodeNumber, epoch: 0 },
  writers: new Map(),
  needs: NEEDS_NOTHING,
};
const NOT_ADOPTED: AdoptedLog = { position: 0, stamp: STAMP_NONE };

/** What entries add up to. Checkpoints: `ManifestCheckpoints`. */
export const manifestMachine: Pick<
  SharedMachine<ManifestState>,
  "empty" | "apply" | "writerEpoch"
> = {
  empty: EMPTY,
  apply: applyEntry,
  writerEpoch: (state, node) => state.writers.get(node) ?? 0,
};

/** How far the log of `node` is adopted; position 0 when nothing is. */
export function adoptedOf(state: ManifestState, node: NodeNumber): AdoptedLog {
  return state.adopted.get(node) ?? NOT_ADOPTED;
}

function applyEntry(state: ManifestState, entry: LogEntry): ManifestState {
  const { position, node, epoch } = entry;
  const known = state.writers.get(node) ?? 0;
  const next: ManifestState = {
    ...state,
    position,
    writers: new Map(state.writers).set(node, Math.max(known, epoch)),
    needs: needsOfBoth(state.needs, entry.needs),
  };
  const what = `manifest entry ${position}`;
  switch (entry.kind) {
    case "adopt":
      return applyAdopt(next, decodeStored(adoptSchema, entry.body, what));
    case "replace":
      return applyReplace(next, decodeStored(replaceSchema, entry.body, what));
    case "take_over": {
      const { office } = decodeStored(takeOverSchema, entry.body, what);
      assert(office === state.office.epoch + 1, "each term follows the one before");
      return { ...next, office: { node, epoch: office } };
    }
    case "barrier":
      // Its catalog version is in `needs`, and that is all it is for (rule 7).
      return next;
    default:
      throw foreignRecord(entry, "the manifest");
  }
}

function applyAdopt(state: ManifestState, { node, through, stamp, files }: Adopt): ManifestState {
  const before = adoptedOf(state, node);
  assert(through > before.position, "a log is adopted onward");
  const added = files.map((file) => ({ file, stampAbove: before.stamp }));
  const adopted = new Map(state.adopted).set(node, { position: through, stamp });
  return { ...state, files: state.files.with(added), adopted };
}

function applyReplace(state: ManifestState, replace: Replace): ManifestState {
  const { inputs, outputs } = replace;
  const added = outputs.map((file) => ({ file, stampAbove: STAMP_NONE }));
  const files = state.files.without(new Set(inputs)).with(added);
  return { ...state, files, replaced: replacedAfter(state, replace) };
}

function replacedAfter(
  { position, replaced }: ManifestState,
  { inputs, collected = 0 }: Replace,
): readonly ReplacedFiles[] {
  assert(collected < position, "only what was replaced before is collected");
  const after = replaced.filter((files) => files.position > collected);
  if (inputs.length > 0) after.push({ position, keys: inputs });
  let keyCount = after.reduce((sum, { keys }) => sum + keys.length, 0);
  while (keyCount > REPLACED_KEYS_MAX) keyCount -= after.shift()?.keys.length ?? keyCount;
  return after;
}
