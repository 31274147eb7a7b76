import { decodeTransaction } from "#catalog/changes.ts";
import type { NodeNumber, Position, TableId } from "#model/ids.ts";
import type { RowDelete, TagCondition } from "#model/row-delete.ts";
import { nodeOfStamp, type OrderStamp } from "#model/stamp.ts";
import { decodeEnvelope } from "#objectlog/envelope.ts";
import { fromEnvelope } from "#objectlog/record.ts";
import type { SimStore, StoreWrite } from "../sim-store.ts";
import type { TrueRow } from "../truth.ts";

const CATALOG_ENTRY = /^cluster01\/catalog\/entry\/(\d{20})$/;

/** A delete, and the catalog version that brought it. */
interface TrueDelete extends RowDelete {
  readonly since: Position;
}

/** Which rows the catalog's log really says are deleted: read from everything that was ever put. A delete is never undone (promise 7). */
export class TrueDeletes {
  readonly #store: SimStore;
  readonly #deletes: TrueDelete[] = [];
  readonly #tableNames = new Map<TableId, string>();
  readonly #seen = new Set<Position>();
  #finishedCount = 0;
  #readCount = 0;

  constructor(store: SimStore) {
    this.#store = store;
  }

  /** Deletes that left the catalog, and not for a newer one. */
  get finishedCount(): number {
    this.#update();
    return this.#finishedCount;
  }

  /** Whether `row` is deleted in views of catalog version `version`. */
  covers(row: TrueRow, version: Position): boolean {
    this.#update();
    return this.#deletes.some(
      (one) =>
        one.since <= version &&
        one.tableId === row.tableId &&
        one.time.start <= row.time &&
        row.time <= one.time.end &&
        stampOfCut(one, nodeOfStamp(row.stamp)) >= row.stamp &&
        fits(one.condition, row),
    );
  }

  /** The cut of `node` in the delete of rows of `table` whose time ends at `end`; 0 where there is none. */
  cutOf(table: string, end: bigint, node: NodeNumber): OrderStamp {
    this.#update();
    const found = this.#deletes.find(
      ({ tableId, time }) => time.end === end && this.#tableNames.get(tableId) === table,
    );
    return found === undefined ? 0n : stampOfCut(found, node);
  }

  #update(): void {
    const { history } = this.#store;
    for (; this.#readCount < history.length; this.#readCount++)
      this.#pass(history[this.#readCount] as StoreWrite);
  }

  #pass({ body, key }: StoreWrite): void {
    const position = Number(CATALOG_ENTRY.exec(key)?.[1]);
    // What is put a second time is a stone.
    if (Number.isNaN(position) || this.#seen.has(position)) return;
    this.#seen.add(position);
    const entry = fromEnvelope(decodeEnvelope(key, body), key, position);
    const changes = decodeTransaction(entry);
    const replaces = changes.some(({ kind }) => kind === "delete_rows");
    for (const change of changes) {
      if (change.kind === "create_table") this.#tableNames.set(change.id, change.name);
      if (change.kind === "delete_rows") this.#deletes.push({ ...change.delete, since: position });
      if (change.kind === "forget_deletes" && !replaces) this.#finishedCount += change.ids.length;
    }
  }
}

function stampOfCut({ cuts }: RowDelete, node: NodeNumber): OrderStamp {
  return cuts.find((cut) => cut.node === node)?.stamp ?? 0n;
}

function fits(condition: TagCondition | undefined, row: TrueRow): boolean {
  switch (condition?.kind) {
    case undefined:
      return true;
    case "and":
      return condition.conditions.every((part) => fits(part, row));
    case "or":
      return condition.conditions.some((part) => fits(part, row));
    case "in": {
      const tag = row.cells.get(condition.columnId) ?? "";
      return condition.values.some((value) => value === tag) !== condition.negated;
    }
  }
}
