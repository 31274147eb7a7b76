/** The DuckDB instance of the process: set up, locked, and its connections, each lent to one query at a time. */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { DbError } from "#base/errors.ts";
import type { ChildSettings } from "../messages.ts";
import { printText } from "../print/literal.ts";
import { registerFunctions } from "./functions/register.ts";

/**
 * Opens an instance in memory that can touch nothing but its folders.
 *
 * The lock is the second wall: the first is that all SQL is printed by us.
 */
export async function openDatabase(settings: ChildSettings): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  for (const [name, value] of settingsOf(settings)) await connection.run(`SET ${name} = ${value}`);
  registerFunctions(connection);
  connection.disconnectSync();
  return instance;
}

/**
 * In this order: what is named before the lock can still be set. Without its background threads the engine's allocator keeps what
 * dropped tables and ended queries took: 495 MB in place of 239 some seconds after a million rows went in.
 */
function settingsOf(settings: ChildSettings): readonly (readonly [string, string])[] {
  const { cache, spill } = settings.directories;
  const allowed = [cache, spill].map((path) => printText(path.endsWith("/") ? path : `${path}/`));
  return [
    ["memory_limit", `'${Math.floor(settings.memorySizeMax)}B'`],
    ["threads", String(settings.threads)],
    ["temp_directory", printText(spill)],
    ["max_temp_directory_size", `'${Math.floor(settings.spillSizeMax)}B'`],
    ["home_directory", printText(spill)],
    ["secret_directory", printText(spill)],
    ["allow_persistent_secrets", "false"],
    ["TimeZone", "'UTC'"],
    ["allocator_background_threads", "true"],
    ["allocator_flush_threshold", "'16MB'"],
    ["parquet_metadata_cache", "true"],
    ["ieee_floating_point_ops", "true"],
    ["preserve_insertion_order", "true"],
    ["max_expression_depth", "5000"],
    ["allowed_directories", `[${allowed.join(", ")}]`],
    ["autoinstall_known_extensions", "false"],
    ["autoload_known_extensions", "false"],
    ["allow_community_extensions", "false"],
    ["enable_external_access", "false"],
    ["lock_configuration", "true"],
  ];
}

interface Waiter {
  readonly key: object;
  readonly take: (connection: DuckDBConnection) => void;
  readonly leave: () => void;
}

/** At most `countMax` connections at work; the next in line takes one that becomes free. */
export class ConnectionPool {
  readonly #instance: DuckDBInstance;
  readonly #countMax: number;
  readonly #waitingMax: number;
  readonly #idle: DuckDBConnection[] = [];
  readonly #waiters: Waiter[] = [];
  #count = 0;

  constructor(instance: DuckDBInstance, options: { countMax: number; waitingMax: number }) {
    this.#instance = instance;
    this.#countMax = options.countMax;
    this.#waitingMax = options.waitingMax;
  }

  /**
   * A connection for `key` alone; undefined when `leave(key)` came before its turn.
   * Rejects with `exceeded` / `engine_busy` when too many wait already.
   */
  async take(key: object): Promise<DuckDBConnection | undefined> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#count < this.#countMax) {
      this.#count += 1;
      try {
        return await this.#instance.connect();
      } catch (error) {
        this.#count -= 1;
        throw error;
      }
    }
    if (this.#waiters.length >= this.#waitingMax) {
      throw new DbError("exceeded", "engine_busy", "too many queries wait for the engine", {
        detail: { waitingMax: this.#waitingMax },
      });
    }
    return new Promise((resolve) => {
      this.#waiters.push({ key, take: resolve, leave: () => resolve(undefined) });
    });
  }

  /** Ends the wait of `key`, if it waits. */
  leave(key: object): void {
    const index = this.#waiters.findIndex((waiter) => waiter.key === key);
    if (index >= 0) this.#waiters.splice(index, 1)[0]?.leave();
  }

  /**
   * Takes a connection back. One that was interrupted is replaced: an interrupt that comes late must not hit another query.
   */
  async giveBack(connection: DuckDBConnection, interrupted: boolean): Promise<void> {
    const next = interrupted ? await this.#replace(connection) : connection;
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#idle.push(next);
    else waiter.take(next);
  }

  async #replace(connection: DuckDBConnection): Promise<DuckDBConnection> {
    connection.disconnectSync();
    try {
      return await this.#instance.connect();
    } catch (error) {
      this.#count -= 1;
      throw error;
    }
  }
}
