import { utf8 } from "#base/bytes.ts";
import { DEFAULT_LIMITS, parseLines } from "./parse.ts";
import type { ParsedBody, ParsedColumn, ParseOptions } from "./parsed.ts";

/** Parses `text` as tests do: nanoseconds, and 77 for lines without a time, unless `options` say otherwise. */
export function parseText(text: string, options: Partial<ParseOptions> = {}): ParsedBody {
  return parseLines(utf8(text), {
    precision: "nanosecond",
    defaultTimeNs: 77n,
    limits: DEFAULT_LIMITS,
    ...options,
  });
}

/** A row as tests write it: `kind:name` → value; text of a missing column is left out. */
export interface Row {
  readonly table: string;
  readonly timeNs: bigint;
  readonly lineNumber: number;
  readonly cells: Readonly<Record<string, Cell>>;
}

export type Cell = string | number | bigint | boolean;

/** The rows of a parsed body in the order of its lines: for tests, which compare them with what they wrote. */
export function rowsOf(body: ParsedBody): readonly Row[] {
  const rows = body.tables.flatMap((table) =>
    Array.from(table.lines, (line, row) => ({
      line,
      row: {
        table: table.name,
        timeNs: table.times[row] ?? 0n,
        lineNumber: body.describeLine(line).lineNumber,
        cells: Object.fromEntries(
          table.columns.flatMap((column) => {
            const cell = cellOf(column, row);
            return cell === undefined ? [] : [[`${column.data.kind}:${column.name}`, cell]];
          }),
        ),
      },
    })),
  );
  return rows.toSorted((left, right) => left.line - right.line).map(({ row }) => row);
}

function cellOf({ data }: ParsedColumn, row: number): Cell | undefined {
  if ("codes" in data) {
    return data.dictionary[(data.codes[row] ?? 0) - 1];
  }
  if (data.present !== undefined && data.present[row] === 0) return undefined;
  return data.kind === "boolean" ? data.values[row] === 1 : data.values[row];
}
