/** The columns that a scan is to give: asked for by name, each scanned once. */

import { compareText } from "#base/bytes.ts";
import { assert } from "#base/errors.ts";
import type { Expression } from "#model/query/expression.ts";
import type { Field, ScanPlan } from "#model/query/plan.ts";
import { typeOfColumn } from "#model/query/value-type.ts";
import { type ColumnSchema, type TableSchema, TIME_COLUMN_NAME } from "#model/schema.ts";
import type { TimeRange } from "#model/time-range.ts";

export class ScanColumns {
  readonly #table: TableSchema;
  readonly #byName: ReadonlyMap<string, ColumnSchema>;
  readonly #scanned: ColumnSchema[] = [];
  readonly #places = new Map<string, number>();

  constructor(table: TableSchema) {
    this.#table = table;
    this.#byName = new Map(table.columns.map((column) => [column.name, column]));
  }

  /** All tags of the table, by name. */
  get tags(): readonly ColumnSchema[] {
    return this.#table.columns
      .filter(({ kind }) => kind === "tag")
      .toSorted((left, right) => compareText(left.name, right.name));
  }

  /** The tag or field `name`; undefined where the table has none. */
  find(name: string): ColumnSchema | undefined {
    const found = this.#byName.get(name);
    return found?.kind === "time" ? undefined : found;
  }

  /** Field `name`, or tag, of the scan's rows. */
  input(column: ColumnSchema): Expression {
    const known = this.#places.get(column.name);
    const index = known ?? this.#scanned.push(column) - 1;
    this.#places.set(column.name, index);
    return { kind: "input", index, type: typeOfColumn(column.kind) };
  }

  time(): Expression {
    const column = this.#byName.get(TIME_COLUMN_NAME);
    assert(column !== undefined, "every table has a time");
    return this.input(column);
  }

  /** All rows of the table in `time`, with what was asked for; its sources are still to be found. */
  scan(time: TimeRange): ScanPlan {
    const fields = this.#scanned.map(({ kind, name }): Field => {
      return { name, type: typeOfColumn(kind), column: kind };
    });
    return {
      kind: "scan",
      fields,
      tableId: this.#table.id,
      tags: this.#table.columns
        .filter(({ kind }) => kind === "tag")
        .map(({ id, kind }) => ({ id, kind })),
      columns: this.#scanned.map(({ id, kind }) => ({ id, kind })),
      time,
      groups: [],
    };
  }
}
