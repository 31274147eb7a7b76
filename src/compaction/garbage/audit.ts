import { fromUtf8, utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { bigintText, decodeStored, toJson, v } from "#base/schema.ts";
import type { Clock } from "#ports/clock.ts";
import type { ObjectMeta, ObjectStore } from "#ports/object-store.ts";

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const fileSchema = v.object({
  key: v.string(),
  /** Why nobody needs it. */
  reason: v.string(),
  /** `queued`: it is kept for the grace period. `would-be`: a dry run. */
  outcome: v.picklist(["deleted", "would-be", "queued"]),
  /** Since when it is known to be garbage. */
  sinceNs: bigintText,
});
const passSchema = v.object({
  kind: v.picklist(["cleanup", "sweep"]),
  /** The term in office that made it, and its node. */
  node: whole,
  term: whole,
  startedAtNs: bigintText,
  /** Objects that were looked at. */
  listedCount: whole,
  files: v.array(fileSchema),
});

/** What one pass over the garbage has found. It is written before the first file goes. */
export type GarbagePass = v.InferOutput<typeof passSchema>;
export type GarbageFile = v.InferOutput<typeof fileSchema>;

export interface AuditOptions {
  readonly clusterId: string;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly retentionMs: number;
}

/** The most that one pass takes up; what is left is found again by the next. */
export const PASS_FILES_MAX = 10_000;
const EXPIRE_MS = 3_600_000;
const NAME = /\/(\d{20})-(\d+)-(cleanup|sweep)\.json$/;

/** What became of files, kept in the store for a while: `<cluster>/garbage/<milliseconds>-<term>-<kind>.json`. */
export class Audit {
  readonly #options: AuditOptions;
  #expireAtMs = 0;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  async write(pass: GarbagePass): Promise<void> {
    const { clock, store } = this.#options;
    await store.put(this.#keyOf(pass), utf8(toJson(pass)));
    if (clock.monotonicMs() < this.#expireAtMs) return;
    this.#expireAtMs = clock.monotonicMs() + EXPIRE_MS;
    await this.#expire(pass.startedAtNs);
  }

  /** The newest pass of `kind`; undefined when there is none. */
  async newest(kind: GarbagePass["kind"]): Promise<GarbagePass | undefined> {
    const { clusterId, store } = this.#options;
    const newest = (await listPasses(store, clusterId)).findLast((pass) => pass.kind === kind);
    return newest && readPass(store, newest.key);
  }

  #keyOf({ kind, startedAtNs, term }: GarbagePass): string {
    const digits = String(startedAtNs / 1_000_000n).padStart(20, "0");
    return `${auditPrefix(this.#options.clusterId)}${digits}-${term}-${kind}.json`;
  }

  async #expire(nowNs: bigint): Promise<void> {
    const { clusterId, retentionMs, store } = this.#options;
    const keepFromMs = Number(nowNs / 1_000_000n) - retentionMs;
    for (const { key, startedAtMs } of await listPasses(store, clusterId))
      if (startedAtMs < keepFromMs) await store.delete(key);
  }
}

/** A pass as its name tells it. */
export interface ListedPass extends ObjectMeta {
  readonly startedAtMs: number;
  readonly term: number;
  readonly kind: string;
}

/** The passes that are kept, oldest first. */
export async function listPasses(
  store: ObjectStore,
  clusterId: string,
): Promise<readonly ListedPass[]> {
  return (await store.list(auditPrefix(clusterId))).flatMap((object) => {
    const [, startedAt, term, kind = ""] = NAME.exec(object.key) ?? [];
    if (startedAt === undefined) return [];
    return [{ ...object, startedAtMs: Number(startedAt), term: Number(term), kind }];
  });
}

/** Rejects with `not_found` / `garbage_pass_missing`, and `corrupt` / `record_malformed`. */
export async function readPass(store: ObjectStore, key: string): Promise<GarbagePass> {
  const bytes = await store.get(key);
  if (bytes === undefined)
    throw new DbError("not_found", "garbage_pass_missing", `there is no pass ${key}`, {
      detail: { key },
    });
  return decodeStored(passSchema, parse(bytes), key);
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    return undefined;
  }
}

function auditPrefix(clusterId: string): string {
  return `${clusterId}/garbage/`;
}
