import { hex } from "#base/bytes.ts";
import { DbError, isKind } from "#base/errors.ts";
import type { Position } from "#model/ids.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import { isStoreClosed, type ObjectStore } from "#ports/object-store.ts";
import { type Random, randomBytes } from "#ports/random.ts";
import { decodeEnvelope, encodeEnvelope } from "./envelope.ts";
import { fromEnvelope, type LogEntry, type LogRecord, toEnvelope } from "./record.ts";

export interface ObjectLogPorts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** How an attempt to append ended: ours stands at the number, or somebody else's does. */
export type Settled =
  | { readonly won: true; readonly entry: LogEntry }
  | { readonly won: false; readonly found: LogEntry };

export interface SizedEntry {
  readonly entry: LogEntry;
  readonly sizeBytes: number;
}

export interface AppendOptions {
  readonly signal: AbortSignal;
  /**
   * Hears of every attempt that was refused or got no answer; the append goes on by itself. Without it, a store that refuses
   * (`isStoreClosed`) ends the append, as long as no attempt before may have arrived.
   */
  readonly onTrouble?: (error: DbError) => void;
}

const DIGITS = 20;
const RETRY_MS_MIN = 20;
const RETRY_MS_MAX = 5_000;

/**
 * One numbered log on the object store: `<prefix>entry/<number>` and `<prefix>checkpoint/<number>`.
 *
 * It knows numbers, nonces and lost answers, not what entries mean, and keeps no state: `LogTracker` reads it, owners write it.
 * The rules it keeps are numbered in docs/decisions/0002-object-log.md.
 */
export class ObjectLog {
  readonly prefix: string;
  readonly #ports: ObjectLogPorts;

  /** `prefix` ends in a slash. */
  constructor(prefix: string, ports: ObjectLogPorts) {
    this.prefix = prefix;
    this.#ports = ports;
  }

  get clock(): Clock {
    return this.#ports.clock;
  }

  /** The entry at `position`, or undefined: which means the tail, or that it was deleted (rule 5). */
  async read(position: Position): Promise<LogEntry | undefined> {
    return (await this.readSized(position))?.entry;
  }

  /** As `read`, with the bytes that the entry takes in the store. */
  async readSized(position: Position): Promise<SizedEntry | undefined> {
    const key = this.#entryKey(position);
    const bytes = await this.#ports.store.get(key);
    return bytes && { entry: entryOf(key, bytes, position), sizeBytes: bytes.length };
  }

  /**
   * Puts `record` at `position` and returns only when it is known whose entry stands there (rule 2): after an unclear
   * answer it reads back, and puts the same bytes again while nothing is there. Rejects as a store does that refuses where
   * nothing was put (see `onTrouble`), and with the signal's reason when aborted: then the outcome is unknown, for ever as far as this
   * process is concerned.
   */
  async append(position: Position, record: LogRecord, options: AppendOptions): Promise<Settled> {
    const key = this.#entryKey(position);
    const nonce = hex(randomBytes(this.#ports.random, 16));
    const bytes = encodeEnvelope(toEnvelope(record, position, nonce));
    const won: Settled = { won: true, entry: { ...record, position, nonce } };
    let persists = options.onTrouble !== undefined;
    for (let attempt = 0; ; attempt++) {
      options.signal.throwIfAborted();
      try {
        await this.#ports.store.putIfAbsent(key, bytes);
        return won;
      } catch (error) {
        if (!isKind(error, "conflict") && !isKind(error, "unavailable")) throw error;
        // After any other failure the entry may be there, or arrive later: then it must be settled.
        persists ||= !isStoreClosed(error);
        if (!persists) throw error;
        if (error.kind === "unavailable") options.onTrouble?.(error);
      }
      const found = await this.#readBack(key, position, options);
      if (found?.nonce === nonce) return won;
      if (found !== undefined) return { won: false, found };
      await this.#pause(attempt, options.signal);
    }
  }

  /** The position of the newest checkpoint, listed now; 0 when there is none. */
  async newestCheckpoint(): Promise<Position> {
    return (await this.#listPositions(this.#checkpointPrefix())).at(-1) ?? 0;
  }

  /** Rejects with `not_found` / `checkpoint_vanished` when a newer one has replaced it: list again. */
  async readCheckpoint(position: Position): Promise<LogEntry> {
    const key = this.#checkpointPrefix() + positionDigits(position);
    const checkpoint = await this.#load(key, position);
    if (checkpoint !== undefined) return checkpoint;
    throw new DbError("not_found", "checkpoint_vanished", `checkpoint ${key} is gone`);
  }

  async hasCheckpoint(position: Position): Promise<boolean> {
    const key = this.#checkpointPrefix() + positionDigits(position);
    return (await this.#ports.store.get(key)) !== undefined;
  }

  /** Puts the checkpoint of `position`. It is a function of the log, so one that is there already says the same (rule 4). */
  async writeCheckpoint(position: Position, record: LogRecord): Promise<void> {
    const nonce = hex(randomBytes(this.#ports.random, 16));
    const bytes = encodeEnvelope(toEnvelope(record, position, nonce));
    try {
      await this.#ports.store.putIfAbsent(
        this.#checkpointPrefix() + positionDigits(position),
        bytes,
      );
    } catch (error) {
      if (!isKind(error, "conflict")) throw error;
    }
  }

  /** Deletes all checkpoints but the newest two (rule 4). */
  async deleteOldCheckpoints(): Promise<void> {
    const positions = await this.#listPositions(this.#checkpointPrefix());
    for (const position of positions.slice(0, -2))
      await this.#ports.store.delete(this.#checkpointPrefix() + positionDigits(position));
  }

  /** Positions of the entries that the store lists, in order, at most `positionMax`. */
  async listEntries(positionMax: Position): Promise<readonly Position[]> {
    const positions = await this.#listPositions(`${this.prefix}entry/`);
    return positions.filter((position) => position <= positionMax);
  }

  /** Whether the store lists any entry above `position`. */
  async hasEntryAfter(position: Position): Promise<boolean> {
    const after = this.#entryKey(position);
    return (
      (await this.#ports.store.list(`${this.prefix}entry/`, { after, countMax: 1 })).length > 0
    );
  }

  async deleteEntry(position: Position): Promise<void> {
    await this.#ports.store.delete(this.#entryKey(position));
  }

  /** Replaces `entry` by a stone of a few bytes that names `checkpoint` and keeps the nonce, so that its writer knows it (rule 4). */
  async layStone(entry: LogEntry, checkpoint: Position): Promise<void> {
    const stone: LogRecord = {
      kind: "stone",
      node: entry.node,
      epoch: entry.epoch,
      needs: entry.needs,
      body: { checkpoint },
      payload: new Uint8Array(0),
    };
    const bytes = encodeEnvelope(toEnvelope(stone, entry.position, entry.nonce));
    await this.#ports.store.put(this.#entryKey(entry.position), bytes);
  }

  async #load(key: string, position: Position): Promise<LogEntry | undefined> {
    const bytes = await this.#ports.store.get(key);
    return bytes && entryOf(key, bytes, position);
  }

  async #readBack(
    key: string,
    position: Position,
    options: AppendOptions,
  ): Promise<LogEntry | undefined> {
    for (let attempt = 0; ; attempt++) {
      options.signal.throwIfAborted();
      try {
        return await this.#load(key, position);
      } catch (error) {
        if (!isKind(error, "unavailable")) throw error;
        options.onTrouble?.(error);
      }
      await this.#pause(attempt, options.signal);
    }
  }

  async #pause(attempt: number, signal: AbortSignal): Promise<void> {
    const ceilingMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(attempt, 10));
    await this.#ports.clock.sleep(ceilingMs * (0.5 + this.#ports.random.next() / 2), signal);
  }

  async #listPositions(prefix: string): Promise<readonly Position[]> {
    const objects = await this.#ports.store.list(prefix);
    return objects.map(({ key }) => positionOf(key, prefix));
  }

  #entryKey(position: Position): string {
    return `${this.prefix}entry/${positionDigits(position)}`;
  }

  #checkpointPrefix(): string {
    return `${this.prefix}checkpoint/`;
  }
}

/** `position` as it stands in names: text in their order. */
export function positionDigits(position: Position): string {
  return String(position).padStart(DIGITS, "0");
}

function positionOf(key: string, prefix: string): Position {
  const text = key.slice(prefix.length);
  if (/^\d{20}$/.test(text)) return Number(text);
  throw new DbError("corrupt", "object_foreign", `object ${key} does not belong into ${prefix}`, {
    detail: { key },
  });
}

function entryOf(key: string, bytes: Uint8Array, position: Position): LogEntry {
  return fromEnvelope(decodeEnvelope(key, bytes), key, position);
}
