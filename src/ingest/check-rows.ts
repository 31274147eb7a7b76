import type { NewColumn } from "#catalog/catalog-state.ts";
import type { ParsedColumn, ParsedTable } from "#lineprotocol/parsed.ts";
import type { ColumnData } from "#model/batch.ts";
import { type ColumnKind, kindText, type TableSchema, TIME_COLUMN_NAME } from "#model/schema.ts";
import type { SchemaLimits } from "./write.ts";

/** Why a line that parsed does not fit its table. */
export interface RowProblem {
  /** The line, for `ParsedBody.describeLine`. */
  readonly line: number;
  readonly message: string;
  readonly limitMet: boolean;
}

export interface CheckedRows {
  /** The rows that fit, rising; undefined: all. */
  readonly rows: Uint32Array | undefined;
  /** Columns that those bring, in order of first use. */
  readonly added: readonly NewColumn[];
  readonly problems: readonly RowProblem[];
}

type Limits = Pick<SchemaLimits, "columnCountMax" | "tagCountMax">;
type Problem = Omit<RowProblem, "line">;

/** Checks the rows of one table against its schema (undefined: a new table). */
export function checkRows(
  parsed: ParsedTable,
  schema: TableSchema | undefined,
  limits: Limits,
): CheckedRows {
  const whole = new GrowingTable(parsed.name, schema, limits);
  const fits = parsed.columns.every((column) => whole.add(column) === undefined);
  if (fits) return { rows: undefined, added: whole.added, problems: [] };
  return checkEachRow(parsed, new GrowingTable(parsed.name, schema, limits));
}

function checkEachRow(parsed: ParsedTable, growing: GrowingTable): CheckedRows {
  const rows: number[] = [];
  const problems: RowProblem[] = [];
  for (let row = 0; row < parsed.times.length; row++) {
    const problem = growing.addAll(parsed.columns.filter(({ data }) => hasValue(data, row)));
    if (problem === undefined) rows.push(row);
    else problems.push({ ...problem, line: parsed.lines[row] ?? 0 });
  }
  return { rows: Uint32Array.from(rows), added: growing.added, problems };
}

/** Whether `row` of a column is not NULL. */
export function hasValue(data: ColumnData, row: number): boolean {
  if ("codes" in data) return data.codes[row] !== 0;
  return data.present === undefined || data.present[row] === 1;
}

/** The columns of a table while lines add to them. */
class GrowingTable {
  readonly #name: string;
  readonly #isNew: boolean;
  readonly #limits: Limits;
  readonly #kinds = new Map<string, ColumnKind>();
  #added: NewColumn[] = [];
  #tagCount = 0;

  constructor(name: string, schema: TableSchema | undefined, limits: Limits) {
    this.#name = name;
    this.#isNew = schema === undefined;
    this.#limits = limits;
    this.#kinds.set(TIME_COLUMN_NAME, "time");
    for (const column of schema?.columns ?? []) this.#note(column);
  }

  get added(): readonly NewColumn[] {
    return this.#added;
  }

  /** Adds the columns of one line, all or none; answers why not. */
  addAll(columns: readonly ParsedColumn[]): Problem | undefined {
    const addedBefore = this.#added;
    for (const column of columns) {
      const problem = this.add(column);
      if (problem === undefined) continue;
      for (const { name, kind } of this.#added.slice(addedBefore.length)) {
        this.#kinds.delete(name);
        if (kind === "tag") this.#tagCount -= 1;
      }
      this.#added = addedBefore;
      return problem;
    }
    return undefined;
  }

  add({ name, data }: ParsedColumn): Problem | undefined {
    const known = this.#kinds.get(name);
    if (known === data.kind) return undefined;
    if (known !== undefined)
      return { message: this.#conflict(name, known, data.kind), limitMet: false };
    const limit = this.#limitMet(data.kind);
    if (limit !== undefined) return { message: limit, limitMet: true };
    const column: NewColumn = { name, kind: data.kind };
    this.#note(column);
    this.#added = [...this.#added, column];
    return undefined;
  }

  #note({ name, kind }: NewColumn): void {
    this.#kinds.set(name, kind);
    if (kind === "tag") this.#tagCount += 1;
  }

  #conflict(name: string, expected: ColumnKind, got: ColumnKind): string {
    if (expected === "time" && this.#isNew) return `'${TIME_COLUMN_NAME}' is a reserved column`;
    return `invalid column type for column '${name}', expected ${kindText(expected)}, got ${kindText(got)}`;
  }

  #limitMet(kind: ColumnKind): string | undefined {
    const { columnCountMax, tagCountMax } = this.#limits;
    const columnCount = this.#kinds.size + 1;
    if (kind === "tag" && this.#tagCount + 1 > tagCountMax)
      return `Schema update for table '${this.#name}' would exceed the tag column limit: proposed schema would have ${this.#tagCount + 1} tag columns, but the limit is ${tagCountMax}`;
    if (columnCount > columnCountMax)
      return `Schema update for table '${this.#name}' would exceed the column limit: proposed schema update would have ${columnCount} columns, but the limit is ${columnCountMax}`;
    return undefined;
  }
}
