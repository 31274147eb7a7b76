import { DbError } from "#base/errors.ts";
import { decodeStored, v } from "#base/schema.ts";
import type { Epoch, NodeNumber, Position } from "#model/ids.ts";
import type { Envelope, RecordKind } from "./envelope.ts";

/** What every entry and checkpoint of every log says of itself, beside what its kind holds. */
export interface RecordHeader {
  /** Who wrote it. */
  readonly node: NodeNumber;
  readonly epoch: Epoch;
  /** The least versions of the shared logs that it may be combined with. */
  readonly needs: Needs;
}

/** The least catalog version and manifest position that something may be read together with. */
export interface Needs {
  readonly catalog: Position;
  readonly manifest: Position;
}

export const NEEDS_NOTHING: Needs = { catalog: 0, manifest: 0 };

/** The least that satisfies both. */
export function needsOfBoth(left: Needs, right: Needs): Needs {
  return {
    catalog: Math.max(left.catalog, right.catalog),
    manifest: Math.max(left.manifest, right.manifest),
  };
}

/** A record on its way into a log. `body` is JSON, written and read by the owner of the kind. */
export interface LogRecord extends RecordHeader {
  readonly kind: RecordKind;
  readonly body: unknown;
  readonly payload: Uint8Array;
}

/** A record that stands in a log. */
export interface LogEntry extends LogRecord {
  readonly position: Position;
  readonly nonce: string;
}

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const headerSchema = v.object({
  position: whole,
  node: whole,
  epoch: whole,
  needs: v.object({ catalog: whole, manifest: whole }),
  body: v.unknown(),
});

/** The envelope of `record` at `position`. */
export function toEnvelope(record: LogRecord, position: Position, nonce: string): Envelope {
  const { node, epoch, needs, body } = record;
  const header: v.InferInput<typeof headerSchema> = { position, node, epoch, needs, body };
  return { kind: record.kind, nonce, header, payload: record.payload };
}

/** The record in `envelope`, which was read as object `key` for `position`; `corrupt` where it says another position. */
export function fromEnvelope(envelope: Envelope, key: string, position: Position): LogEntry {
  const { kind, nonce, payload } = envelope;
  const header = decodeStored(headerSchema, envelope.header, `object ${key}`);
  if (header.position !== position) {
    throw new DbError(
      "corrupt",
      "object_misplaced",
      `object ${key} says that it is number ${header.position}: it was copied or renamed`,
      { detail: { key, position } },
    );
  }
  const { epoch, needs, body } = header;
  return { kind, nonce, payload, position, node: header.node as NodeNumber, epoch, needs, body };
}

/** Says that a record stands where its kind does not belong. */
export function foreignRecord({ kind, position, node }: LogEntry, where: string): DbError {
  return new DbError(
    "corrupt",
    "record_foreign",
    `record ${position} of ${where} is a ${kind}, which does not belong there`,
    { detail: { node, position, kind } },
  );
}

/** Throws `corrupt` / `record_foreign` where `checkpoint` is not one of `kind`. */
export function requireKind(checkpoint: LogEntry, kind: RecordKind): void {
  if (checkpoint.kind !== kind) throw foreignRecord(checkpoint, "the checkpoints");
}
