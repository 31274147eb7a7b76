import { assert } from "#base/errors.ts";
import { bigintText, decodeStored, v } from "#base/schema.ts";
import type { DataFile } from "#model/data-file.ts";
import type { Epoch, NodeNumber, Position, TableId } from "#model/ids.ts";
import { type OrderStamp, STAMP_NONE } from "#model/stamp.ts";
import { dataFileSchema } from "#objectlog/data-file-record.ts";
import {
  foreignRecord,
  type LogEntry,
  NEEDS_NOTHING,
  type Needs,
  needsOfBoth,
  requireKind,
} from "#objectlog/record.ts";
import type { SharedMachine, Writer } from "#objectlog/shared-log.ts";

/** Which files hold the rows of all node logs up to `adopted`, at one position. A value. */
export interface ManifestState {
  readonly position: Position;
  readonly files: ReadonlyMap<TableId, readonly ManifestFile[]>;
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

export interface ManifestFile {
  readonly file: DataFile;
  /** Rows at or below this stamp do not count: they were there before the file was adopted. */
  readonly stampAbove: OrderStamp;
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
const replacedSchema = v.object({ position: whole, keys: v.array(v.string()) });
const takeOverSchema = v.object({ office: whole });
const checkpointSchema = v.object({
  files: v.array(v.object({ file: dataFileSchema, stampAbove: bigintText })),
  adopted: v.array(v.object({ node: nodeNumber, position: whole, stamp: bigintText })),
  office: v.object({ node: nodeNumber, epoch: whole }),
  writers: v.array(v.object({ node: nodeNumber, epoch: whole })),
  replaced: v.optional(v.array(replacedSchema), []),
});

/** A node log up to `through` is in `files`. */
export type Adopt = v.InferOutput<typeof adoptSchema>;
/** `outputs` hold what `inputs`, by key, held. What entries at or below `collected` have replaced is deleted. */
export type Replace = v.InferOutput<typeof replaceSchema>;

const EMPTY: ManifestState = {
  position: 0,
  files: new Map(),
  adopted: new Map(),
  replaced: [],
  office: { node: 0 as NodeNumber, epoch: 0 },
  writers: new Map(),
  needs: NEEDS_NOTHING,
};
const NOT_ADOPTED: AdoptedLog = { position: 0, stamp: STAMP_NONE };

export const manifestMachine: SharedMachine<ManifestState> = {
  empty: EMPTY,
  apply: applyEntry,
  restore: restoreCheckpoint,
  writerEpoch: (state, node) => state.writers.get(node) ?? 0,
  checkpoint: (state, writer) => ({
    kind: "manifest_checkpoint",
    ...writer,
    needs: state.needs,
    body: checkpointBody(state),
    payload: new Uint8Array(0),
  }),
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
  const all = new Map(state.files);
  addFiles(all, files, before.stamp);
  const adopted = new Map(state.adopted).set(node, { position: through, stamp });
  return { ...state, files: all, adopted };
}

function applyReplace(state: ManifestState, replace: Replace): ManifestState {
  const { inputs, outputs } = replace;
  const gone = new Set(inputs);
  const all = new Map<TableId, readonly ManifestFile[]>();
  let goneCount = 0;
  for (const [tableId, files] of state.files) {
    const kept = files.filter(({ file }) => !gone.has(file.key));
    goneCount += files.length - kept.length;
    // The files of a table that nothing happened to are the same value.
    if (kept.length > 0) all.set(tableId, kept.length === files.length ? files : kept);
  }
  assert(goneCount === gone.size, "only files of the state are replaced");
  addFiles(all, outputs, STAMP_NONE);
  return { ...state, files: all, replaced: replacedAfter(state, replace) };
}

/** One copy of the files of each table, however many are added. */
function addFiles(
  all: Map<TableId, readonly ManifestFile[]>,
  files: readonly DataFile[],
  stampAbove: OrderStamp,
): void {
  for (const [tableId, added] of Map.groupBy(files, (file) => file.tableId))
    all.set(tableId, [...(all.get(tableId) ?? []), ...added.map((file) => ({ file, stampAbove }))]);
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

function checkpointBody(state: ManifestState) {
  return {
    files: [...state.files.values()].flat(),
    adopted: [...state.adopted].map(([node, adopted]) => ({ node, ...adopted })),
    office: state.office,
    writers: [...state.writers].map(([node, epoch]) => ({ node, epoch })),
    ...(state.replaced.length > 0 && { replaced: state.replaced }),
  };
}

function restoreCheckpoint(checkpoint: LogEntry): ManifestState {
  requireKind(checkpoint, "manifest_checkpoint");
  const what = `manifest checkpoint ${checkpoint.position}`;
  const stored = decodeStored(checkpointSchema, checkpoint.body, what);
  const files = new Map<TableId, ManifestFile[]>();
  for (const manifestFile of stored.files) {
    const { tableId } = manifestFile.file;
    const ofTable = files.get(tableId);
    if (ofTable === undefined) files.set(tableId, [manifestFile]);
    else ofTable.push(manifestFile);
  }
  return {
    position: checkpoint.position,
    files,
    adopted: new Map(stored.adopted.map(({ node, ...adopted }) => [node, adopted])),
    replaced: stored.replaced,
    office: stored.office,
    writers: new Map(stored.writers.map(({ node, epoch }) => [node, epoch])),
    needs: checkpoint.needs,
  };
}
