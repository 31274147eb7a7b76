import type { NewColumn } from "#catalog/catalog-state.ts";
import type { ParsedColumn, ParsedTable } from "#lineprotocol/parsed.ts";
import { type ColumnKind, kindText, type TableSchema, TIME_COLUMN_NAME } from "#model/schema.ts";
import { TIME_MIN } from "#model/time-range.ts";
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
  /** Rows before `Limits.keptFrom`, which bring nothing. */
  readonly expiredCount: number;
}

interface Limits extends Pick<SchemaLimits, "columnCountMax" | "tagCountMax"> {
  /** The database's name where writes create no columns in it. */
  readonly declared: string | undefined;
  /** Older rows are past their retention; undefined: none is. */
  readonly keptFrom: bigint | undefined;
}
type Problem = Omit<RowProblem, "line">;

/** Problems that are kept, those of the first lines; the others are counted. */
export const PROBLEMS_KEPT_MAX = 100;

/** The lines of a body that do not fit: there may be as many as it has lines. */
export class RowProblems {
  #count = 0;
  #limitMet = false;
  #kept: RowProblem[] = [];
  /** No line from here on is among the first. */
  #lineEnd = Number.POSITIVE_INFINITY;

  get count(): number {
    return this.#count;
  }

  /** Whether any of them met a limit. */
  get limitMet(): boolean {
    return this.#limitMet;
  }

  add(line: number, { limitMet, message }: Problem): void {
    this.#count += 1;
    this.#limitMet ||= limitMet;
    if (line >= this.#lineEnd) return;
    this.#kept.push({ line, message, limitMet });
    if (this.#kept.length === 2 * PROBLEMS_KEPT_MAX) this.#trim();
  }

  /** Those of the first PROBLEMS_KEPT_MAX lines, by line. */
  first(): readonly RowProblem[] {
    this.#trim();
    return this.#kept;
  }

  #trim(): void {
    this.#kept = this.#kept
      .toSorted((left, right) => left.line - right.line)
      .slice(0, PROBLEMS_KEPT_MAX);
    const last = this.#kept[PROBLEMS_KEPT_MAX - 1];
    if (last !== undefined) this.#lineEnd = last.line;
  }
}

/** The columns that a table brings to its schema (undefined: a new table); undefined where some of its rows may not fit, or be kept. */
export function checkColumns(
  { columns, name, timeFloor }: StagedTable,
  schema: TableSchema | undefined,
  limits: Limits,
): readonly NewColumn[] | undefined {
  if (limits.keptFrom !== undefined && timeFloor < limits.keptFrom) return undefined;
  const growing = new GrowingTable(name, schema, limits);
  return columns.every((column) => growing.add(column) === undefined) ? growing.added : undefined;
}

/** Checks the rows of one table against its schema, one by one; tells `problems` of those that do not fit. */
export function checkRows(
  parsed: ParsedTable,
  schema: TableSchema | undefined,
  limits: Limits,
  problems: RowProblems,
): CheckedRows {
  const growing = new GrowingTable(parsed.name, schema, limits);
  // What the table has already fits in any row.
  const open = parsed.columns.filter(({ data, name }) => !growing.has({ name, kind: data.kind }));
  const looks = open.map(({ data, name }): StagedColumn => ({ name, kind: data.kind }));
  const rowCount = parsed.times.length;
  const { ends, indexes } = valuesByRow(open, rowCount);
  const rows = new Uint32Array(rowCount);
  const used: StagedColumn[] = [];
  const { keptFrom = TIME_MIN } = limits;
  let expiredCount = 0;
  let fitCount = 0;
  let start = 0;
  for (let row = 0; row < rowCount; row++) {
    const end = ends[row] as number;
    if ((parsed.times[row] as bigint) < keptFrom) expiredCount += 1;
    else {
      used.length = 0;
      for (let i = start; i < end; i++) used.push(looks[indexes[i] as number] as StagedColumn);
      const problem = growing.addAll(used);
      if (problem === undefined) rows[fitCount++] = row;
      else problems.add(parsed.lines[row] ?? 0, problem);
    }
    start = end;
  }
  return { rows: rows.slice(0, fitCount), added: growing.added, expiredCount };
}

/**
 * Which of `columns` have a value, row by row: those of row 0, then those of row 1, up to `ends` of each. Column by column, for there may
 * be thousands of columns with a value in one row each.
 */
function valuesByRow(
  columns: readonly ParsedColumn[],
  rowCount: number,
): { readonly ends: Uint32Array; readonly indexes: Uint32Array } {
  const marks = columns.map(({ data }) => ("codes" in data ? data.codes : data.present));
  const starts = new Uint32Array(rowCount + 1);
  for (const mark of marks)
    for (let row = 0; row < rowCount; row++)
      if (mark === undefined || mark[row] !== 0) starts[row + 1] = (starts[row + 1] as number) + 1;
  for (let row = 0; row < rowCount; row++)
    starts[row + 1] = (starts[row + 1] as number) + (starts[row] as number);
  const indexes = new Uint32Array(starts[rowCount] as number);
  // Each row's start moves to its end while it is filled.
  const ends = starts.subarray(0, rowCount);
  for (const [index, mark] of marks.entries())
    for (let row = 0; row < rowCount; row++)
      if (mark === undefined || mark[row] !== 0) {
        indexes[ends[row] as number] = index;
        ends[row] = (ends[row] as number) + 1;
      }
  return { ends, indexes };
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

  has({ kind, name }: StagedColumn): boolean {
    return this.#kinds.get(name) === kind;
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
    const { declared } = this.#limits;
    if (declared !== undefined) {
      const message = `column '${name}' (${kindText(kind)}) is not defined in table '${this.#name}' of database '${declared}', which uses explicit schemas; add the column with the /api/v3/configure/table API before writing to it`;
      return { message, limitMet: false };
    }
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
