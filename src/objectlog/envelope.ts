import { concatBytes, fromUtf8, hex, utf8 } from "#base/bytes.ts";
import { crc32 } from "#base/crc32.ts";
import { assert, DbError } from "#base/errors.ts";
import { toJson } from "#base/schema.ts";

/**
 * What an object of a log is; the numbers stand in stored bytes for ever.
 *
 * A kind is written only when every registered node knows it (`FORMAT_LEVEL` in the catalog); a node that meets one it does
 * not know stops applying that log and says so.
 */
export const RECORD_KINDS = {
  fence: 1,
  flush: 2,
  snapshot: 3,
  node_checkpoint: 4,
  transaction: 16,
  catalog_checkpoint: 17,
  adopt: 32,
  replace: 33,
  take_over: 34,
  barrier: 35,
  manifest_checkpoint: 36,
  manifest_part: 37,
  stone: 48,
} as const;
export type RecordKind = keyof typeof RECORD_KINDS;

/**
 * The record kinds this program knows, as one number. A node registers with it. It grows with the kinds from the first release on: the kinds
 * above are all of level 1, for no cluster has nodes that know fewer of them.
 */
export const FORMAT_LEVEL = 1;

/** One object of a log, decoded. `header` is JSON (bigints as text), `payload` bytes; what they mean is the kind's matter. */
export interface Envelope {
  readonly kind: RecordKind;
  /** 32 hexadecimal digits, different for every body that anybody makes. */
  readonly nonce: string;
  readonly header: unknown;
  readonly payload: Uint8Array;
}

const MAGIC = 0x4b4c_4454; // "TDLK"
const FORMAT_VERSION = 1;
const CHECKSUM_OFFSET = 8;
const CHECKSUM_END = 12;
const NONCE_OFFSET = 16;
const NONCE_SIZE = 16;
const PREFIX_SIZE = NONCE_OFFSET + NONCE_SIZE;
const NONCE = /^[0-9a-f]{32}$/;

const kindOfNumber = new Map<number, RecordKind>(
  (Object.keys(RECORD_KINDS) as RecordKind[]).map((kind) => [RECORD_KINDS[kind], kind]),
);

/** Bytes of an object: docs/formats/object-log.md. */
export function encodeEnvelope({ kind, nonce, header, payload }: Envelope): Uint8Array {
  assert(NONCE.test(nonce), "a nonce has 32 hexadecimal digits");
  const headerBytes = utf8(toJson(header));
  const prefix = new Uint8Array(PREFIX_SIZE);
  const view = new DataView(prefix.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, RECORD_KINDS[kind], true);
  view.setUint16(6, FORMAT_VERSION, true);
  view.setUint32(12, headerBytes.length, true);
  prefix.set(Buffer.from(nonce, "hex"), NONCE_OFFSET);
  const bytes = concatBytes([prefix, headerBytes, payload]);
  new DataView(bytes.buffer).setUint32(CHECKSUM_OFFSET, checksumOf(bytes), true);
  return bytes;
}

/**
 * Reads the bytes of object `key`. `payload` is a view into `bytes`.
 *
 * Throws `corrupt` / `object_damaged` where they are short, torn or changed, and `unsupported` / `record_unknown` where they are
 * whole but of a kind or version that this program does not know.
 */
export function decodeEnvelope(key: string, bytes: Uint8Array): Envelope {
  if (bytes.length < PREFIX_SIZE) throw damaged(key, bytes, "it is too short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw damaged(key, bytes, "it does not begin as ours do");
  if (view.getUint32(CHECKSUM_OFFSET, true) !== checksumOf(bytes))
    throw damaged(key, bytes, "its checksum does not match");
  const number = view.getUint16(4, true);
  const version = view.getUint16(6, true);
  const kind = kindOfNumber.get(number);
  if (kind === undefined || version !== FORMAT_VERSION) {
    throw new DbError(
      "unsupported",
      "record_unknown",
      `object ${key} has record kind ${number}, version ${version}, which this program does not know: upgrade it`,
      { detail: { key, kind: number, version } },
    );
  }
  const headerEnd = PREFIX_SIZE + view.getUint32(12, true);
  if (headerEnd > bytes.length) throw damaged(key, bytes, "its header is cut");
  return {
    kind,
    nonce: hex(bytes.subarray(NONCE_OFFSET, PREFIX_SIZE)),
    header: parseHeader(key, bytes, headerEnd),
    payload: bytes.subarray(headerEnd),
  };
}

function parseHeader(key: string, bytes: Uint8Array, headerEnd: number): unknown {
  try {
    return JSON.parse(fromUtf8(bytes.subarray(PREFIX_SIZE, headerEnd)));
  } catch (error) {
    throw damaged(key, bytes, `its header is not JSON (${String(error)})`);
  }
}

function checksumOf(bytes: Uint8Array): number {
  return crc32(bytes.subarray(CHECKSUM_END), crc32(bytes.subarray(0, CHECKSUM_OFFSET)));
}

function damaged(key: string, bytes: Uint8Array, how: string): DbError {
  return new DbError(
    "corrupt",
    "object_damaged",
    `object ${key} (${bytes.length} bytes) is damaged: ${how}`,
    { detail: { key, sizeBytes: bytes.length } },
  );
}
