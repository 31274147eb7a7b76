/** Checkpoints of the manifest: a small one that names parts, and the parts. Bytes: docs/formats/manifest.md. */
import { inTurns } from "#base/async.ts";
import { hex } from "#base/bytes.ts";
import { DbError, isKind } from "#base/errors.ts";
import { bigintText, decodeStored, v } from "#base/schema.ts";
import type { NodeNumber, Position, TableId } from "#model/ids.ts";
import { dataFileSchema } from "#objectlog/data-file-record.ts";
import { decodeEnvelope, encodeEnvelope } from "#objectlog/envelope.ts";
import { type ObjectLog, type ObjectLogPorts, positionDigits } from "#objectlog/object-log.ts";
import {
  fromEnvelope,
  type LogEntry,
  type LogRecord,
  requireKind,
  toEnvelope,
} from "#objectlog/record.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import { randomBytes } from "#ports/random.ts";
import { ManifestFiles, PART_FILES_MAX } from "./manifest-files.ts";
import { ManifestPart, type PartSummary } from "./manifest-part.ts";
import type { ManifestState } from "./manifest-state.ts";

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const nodeNumber = v.pipe(
  whole,
  v.transform((number) => number as NodeNumber),
);
const tableId = v.pipe(
  whole,
  v.transform((id) => id as TableId),
);
const namedPartSchema = v.object({
  name: v.pipe(v.string(), v.regex(/^\d{20}-[0-9a-f]{16}$/)),
  digest: v.string(),
});
const rootSchema = v.object({
  parts: v.optional(v.array(namedPartSchema), []),
  // Before there were parts.
  files: v.optional(v.array(v.object({ file: dataFileSchema, stampAbove: bigintText })), []),
  adopted: v.array(v.object({ node: nodeNumber, position: whole, stamp: bigintText })),
  office: v.object({ node: nodeNumber, epoch: whole }),
  writers: v.array(v.object({ node: nodeNumber, epoch: whole })),
  replaced: v.optional(v.array(v.object({ position: whole, keys: v.array(v.string()) })), []),
});
const partSchema = v.object({
  first: v.object({ tableId, start: bigintText, key: v.string() }),
  tableIds: v.array(tableId),
  time: v.object({ start: bigintText, end: bigintText }),
  count: whole,
});

/** A part in the store: the name is used once, the digest tells what it holds. */
type NamedPart = v.InferOutput<typeof namedPartSchema>;
/** What one checkpoint names. */
interface Root {
  readonly position: Position;
  readonly parts: readonly NamedPart[];
}

const NO_ROOT: Root = { position: 0, parts: [] };
const READS_AT_ONCE = 32;
const WRITES_AT_ONCE = 8;
const NONCE_SIZE = 16;
/** Of the nonce, what is enough to use a name once. */
const NAME_DIGITS = 16;
const LIST_COUNT = 1_000;

/**
 * Reads checkpoints of the manifest, and writes those of one term in office, of which each rewrites only what has changed since the one
 * before.
 *
 * Only the compactor in office writes checkpoints and deletes parts. What a checkpoint names was put in its own term, for a position above the
 * take-over; what a term deletes was put for a position of its own or of an older one. So nothing goes that a later term may name, however late
 * the deletion comes and however old a list is.
 */
export class ManifestCheckpoints {
  readonly #log: ObjectLog;
  readonly #ports: ObjectLogPorts;
  readonly #prefix: string;
  readonly #partFilesMax: number;
  /** What the next checkpoint of this term may name, for the term has put it: names by digests. */
  #stored = new Map<string, string>();
  /** Of this term: where the last one was made, which may not be there yet, and the last that is there. */
  #made: Position = 0;
  #newest: Root = NO_ROOT;

  constructor(log: ObjectLog, ports: ObjectLogPorts, partFilesMax = PART_FILES_MAX) {
    this.#log = log;
    this.#ports = ports;
    this.#prefix = `${log.prefix}part/`;
    this.#partFilesMax = partFilesMax;
  }

  /** The state that `checkpoint` stands for. Rejects with `not_found` / `checkpoint_vanished` where one of its parts is gone. */
  async restore(checkpoint: LogEntry): Promise<ManifestState> {
    const root = rootOf(checkpoint);
    const files =
      root.files.length > 0
        ? ManifestFiles.of(root.files, this.#partFilesMax)
        : ManifestFiles.ofParts(await this.#readParts(root.parts), this.#partFilesMax);
    return {
      position: checkpoint.position,
      files,
      adopted: new Map(root.adopted.map(({ node, ...adopted }) => [node, adopted])),
      replaced: root.replaced,
      office: root.office,
      writers: new Map(root.writers.map(({ node, epoch }) => [node, epoch])),
      needs: checkpoint.needs,
    };
  }

  /** Begins to write in a term in office: its first checkpoint puts all parts. */
  begin(): void {
    this.#newest = NO_ROOT;
    this.#made = 0;
    this.#stored = new Map();
  }

  /** Puts the parts of `state` that are not stored, and answers the checkpoint that names all. After a failure it may be asked for again. */
  async checkpoint(state: ManifestState, writer: Writer): Promise<LogRecord> {
    const { position } = state;
    const parts = await inTurns(state.files.parts, WRITES_AT_ONCE, (part) =>
      this.#store(part, position, writer),
    );
    this.#made = position;
    return {
      kind: "manifest_checkpoint",
      ...writer,
      needs: state.needs,
      body: {
        parts,
        adopted: [...state.adopted].map(([node, adopted]) => ({ node, ...adopted })),
        office: state.office,
        writers: [...state.writers].map(([node, epoch]) => ({ node, epoch })),
        ...(state.replaced.length > 0 && { replaced: state.replaced }),
      },
      payload: new Uint8Array(0),
    };
  }

  /**
   * The checkpoint of the position that was made last is there: deletes the parts that neither it nor the one before it in this term
   * names. Where there is none before it, those of older terms are left, for readers may be at them. What fails is left to the next one.
   */
  async deleteOldParts(): Promise<void> {
    const before = this.#newest;
    const position = this.#made;
    if (position === before.position) return;
    const newest = await this.#readRoot(position);
    if (newest === undefined) {
      // Another term is in office, and has deleted this one's checkpoint: it cleans up.
      this.#made = before.position;
      return;
    }
    this.#newest = newest;
    // Before the first deletion: a name that may be gone is not to be used again.
    this.#stored = namesByDigest(newest);
    if (before.position > 0)
      await this.#deletePartsBut([...before.parts, ...newest.parts], position);
  }

  /** What the checkpoint at `position` names: an earlier try may have landed late, and named other parts. Undefined where it is gone. */
  async #readRoot(position: Position): Promise<Root | undefined> {
    try {
      return { position, parts: rootOf(await this.#log.readCheckpoint(position)).parts };
    } catch (error) {
      if (isKind(error, "not_found")) return undefined;
      throw error;
    }
  }

  /** Of what was put for `positionMax` and before. */
  async #deletePartsBut(parts: readonly NamedPart[], positionMax: Position): Promise<void> {
    const kept = new Set(parts.map(({ name }) => name));
    for (let after = ""; ; ) {
      const options = { after, countMax: LIST_COUNT };
      const objects = await this.#ports.store.list(this.#prefix, options);
      const names = objects.map(({ key }) => key.slice(this.#prefix.length));
      // What was put for a later checkpoint is of a later term.
      const old = names.filter((name) => !kept.has(name) && positionIn(name) <= positionMax);
      await inTurns(old, WRITES_AT_ONCE, (name) => this.#ports.store.delete(this.#prefix + name));
      const last = objects.at(-1);
      if (last === undefined || objects.length < LIST_COUNT) break;
      after = last.key;
    }
  }

  async #store(part: ManifestPart, position: Position, writer: Writer): Promise<NamedPart> {
    const { bytes: payload, digest } = part.pack();
    const known = this.#stored.get(digest);
    if (known !== undefined) return { name: known, digest };
    const { random, store } = this.#ports;
    const nonce = hex(randomBytes(random, NONCE_SIZE));
    const name = `${positionDigits(position)}-${nonce.slice(0, NAME_DIGITS)}`;
    const needs = { catalog: 0, manifest: 0 };
    const record: LogRecord = {
      kind: "manifest_part",
      ...writer,
      needs,
      body: part.summary,
      payload,
    };
    const bytes = encodeEnvelope(toEnvelope(record, position, nonce));
    try {
      await store.putIfAbsent(this.#prefix + name, bytes);
    } catch (error) {
      // The name is used once: it is ours that is there, of a request that was sent again on its way.
      if (!isKind(error, "conflict")) throw error;
    }
    this.#stored.set(digest, name);
    return { name, digest };
  }

  async #readParts(named: readonly NamedPart[]): Promise<readonly ManifestPart[]> {
    return inTurns(named, READS_AT_ONCE, (one) => this.#readPart(one));
  }

  async #readPart({ digest, name }: NamedPart): Promise<ManifestPart> {
    const key = this.#prefix + name;
    const bytes = await this.#ports.store.get(key);
    if (bytes === undefined)
      throw new DbError("not_found", "checkpoint_vanished", `part ${key} is gone`, {
        detail: { key },
      });
    const record = fromEnvelope(decodeEnvelope(key, bytes), key, positionIn(name));
    requireKind(record, "manifest_part");
    const summary: PartSummary = decodeStored(partSchema, record.body, `part ${key}`);
    return ManifestPart.ofPacked(summary, { digest, bytes: record.payload });
  }
}

/** The names of the parts that `checkpoint` names, under `part/` in the log. */
export function partNames(checkpoint: LogEntry): readonly string[] {
  return rootOf(checkpoint).parts.map(({ name }) => name);
}

function rootOf(checkpoint: LogEntry): v.InferOutput<typeof rootSchema> {
  requireKind(checkpoint, "manifest_checkpoint");
  const what = `manifest checkpoint ${checkpoint.position}`;
  return decodeStored(rootSchema, checkpoint.body, what);
}

/** The position of the checkpoint for which the part was put. */
function positionIn(name: string): Position {
  return Number(name.split("-", 1)[0]);
}

function namesByDigest({ parts }: Root): Map<string, string> {
  return new Map(parts.map(({ digest, name }) => [digest, name]));
}
