import { assert } from "#base/errors.ts";
import { encodeBlock } from "#block/block.ts";
import { parseLines } from "#lineprotocol/parse.ts";
import type { ParsedBody, ParsedTable } from "#lineprotocol/parsed.ts";
import type { FlushBlock } from "#model/flush.ts";
import type { TableId } from "#model/ids.ts";
import { toBatch } from "./batches.ts";
import { mergeBatches } from "./merge.ts";
import {
  type RowSelection,
  type Stage,
  type StagedBody,
  type StagedTable,
  type StagedTarget,
  timeFloorOf,
} from "./stage.ts";

/** Does everything where it is called. The reference that others are compared with. */
export const plainStage: Stage = {
  async parse(body, options) {
    return new PlainBody(parseLines(body, options));
  },
  async encode(parts) {
    return encodeRows(
      parts.map(({ body, rows, tableIndex, target }) => {
        assert(body instanceof PlainBody, "a body is encoded where it was parsed");
        return { parsed: body.tableAt(tableIndex), rows, target };
      }),
    );
  },
};

/** A body whose rows are in this thread. */
export class PlainBody implements StagedBody {
  readonly tables: readonly StagedTable[];
  readonly #parsed: ParsedBody;

  constructor(parsed: ParsedBody) {
    this.#parsed = parsed;
    this.tables = parsed.tables.map(looksOf);
  }

  get rejected() {
    return this.#parsed.rejected;
  }

  get rejectedCount() {
    return this.#parsed.rejectedCount;
  }

  get lineCount() {
    return this.#parsed.lineCount;
  }

  tableAt(index: number): ParsedTable {
    const table = this.#parsed.tables[index];
    assert(table !== undefined, "a part names a table of its body");
    return table;
  }

  hold(): () => void {
    // The rows go with the object.
    return () => undefined;
  }

  async parsed(): Promise<ParsedBody> {
    return this.#parsed;
  }

  [Symbol.dispose](): void {
    // As above.
  }
}

export function looksOf({ columns, name, times }: ParsedTable): StagedTable {
  return {
    name,
    rowCount: times.length,
    timeFloor: timeFloorOf(times),
    columns: columns.map((column) => ({ name: column.name, kind: column.data.kind })),
  };
}

/** Rows that are in this thread. */
export interface RowsHere {
  readonly parsed: ParsedTable;
  readonly rows: RowSelection;
  readonly target: StagedTarget;
}

/** As `Stage.encode`. */
export function encodeRows(parts: readonly RowsHere[]): readonly FlushBlock[] {
  const byTable = Map.groupBy(parts, ({ target }): TableId => target.tableId);
  return [...byTable.values()].map((ofTable) => {
    const batches = ofTable.map(({ parsed, rows, target }) => toBatch(parsed, rows, target));
    const merged = mergeBatches(batches);
    const { databaseId, tableId } = merged;
    return { databaseId, tableId, bytes: encodeBlock(merged) };
  });
}
