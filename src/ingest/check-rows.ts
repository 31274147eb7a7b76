import type { NewColumn } from "#catalog/catalog-state.ts";
import type { ParsedColumn, ParsedTable } from "#lineprotocol/parsed.ts";
import { hasValue } from "#model/batch.ts";
import { type ColumnKind, kindText, type TableSchema, TIME_COLUMN_NAME } from "#model/schema.ts";
import type { StagedColumn, StagedTable } from "#staging/stage.ts";
import type { SchemaLimits } from "./write.ts";

/** Why a line that parsed does not fit its table. */
export interface RowProblem {
  /** The line, for `ParsedBody.describeLine`. */
  readonly line: number;
  readonly message: string;
  readonly limitMet: boolean;
}

export interface CheckedRows {
  /** The rows that fit, rising. */
  readonly rows: Uint32Array;
  /** Columns that those bring, in order of first use. */
  readonly added: readonly NewColumn[];
  readonly problems: readonly RowProblem[];
}

type Limits = Pick<SchemaLimits, "columnCountMax" | "tagCountMax">;
type Problem = Omit<RowProblem, "line">;

/** The columns that a table brings to its schema (undefined: a new table); undefined where some of its rows may not fit. */
export function checkColumns(
  { columns, name }: StagedTable,
  schema: TableSchema | undefined,
  limits: Limits,
): readonly NewColumn[] | undefined {
  const growing = new GrowingTable(name, schema, limits);
  return columns.every((column) => growing.add(column) === undefined) ? growing.added : undefined;
}

/** Checks the rows of one table against its schema, one by one. */
export function checkRows(
  parsed: ParsedTable,
  schema: TableSchema | undefined,
  limits: Limits,
): CheckedRows {
  const growing = new GrowingTable(parsed.name, schema, limits);
  const looks = parsed.columns.map(({ data, name }) => ({ name, kind: data.kind }));
  const usedAt = (row: number) =>
    looks.filter((_, index) => hasValue((parsed.columns[index] as ParsedColumn).data, row));
  const rows: number[] = [];
  const problems: RowProblem[] = [];
  for (let row = 0; row < parsed.times.length; row++) {
    const problem = growing.addAll(usedAt(row));
    if (problem === undefined) rows.push(row);
    else problems.push({ ...problem, line: parsed.lines[row] ?? 0 });
  }
  return { rows: Uint32Array.from(rows), added: growing.added, problems };
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
  addAll(columns: readonly StagedColumn[]): Problem | undefined {
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

  add({ kind, name }: StagedColumn): Problem | undefined {
    const known = this.#kinds.get(name);
    if (known === kind) return undefined;
    if (known !== undefined) return { message: this.#conflict(name, known, kind), limitMet: false };
    const limit = this.#limitMet(kind);
    if (limit !== undefined) return { message: limit, limitMet: true };
    const column: NewColumn = { name, kind };
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
