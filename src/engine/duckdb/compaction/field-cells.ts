/** The cells of one field over the rows of many files. */
import { fromUtf8 } from "#base/bytes.ts";
import { assert } from "#base/errors.ts";
import type { ColumnId } from "#model/ids.ts";
import type { RowCells } from "#parquet/column.ts";
import { spreadCodes } from "#parquet/read/chunk-reader.ts";
import { textAt, textsOf } from "#parquet/texts.ts";
import type { FileColumn } from "#ports/engine.ts";
import type { Piece } from "./file-rows.ts";

/** The cells of `column`, which is a field, in the order of the pieces' rows; undefined where no file has it. Throws `corrupt` / `file_damaged`. */
export function fieldCells(
  { id, kind }: Pick<FileColumn, "id" | "kind">,
  pieces: readonly Piece[],
  rowCount: number,
): RowCells | undefined {
  switch (kind) {
    case "float":
      return valueCells("doubles", new Float64Array(rowCount), { id, pieces });
    case "integer":
    case "uinteger":
      return valueCells("wholes", new BigInt64Array(rowCount), { id, pieces });
    case "boolean":
      return valueCells("booleans", new Uint8Array(rowCount), { id, pieces });
    case "string":
      return textCells(id, pieces, rowCount);
    case "time":
    case "tag":
      assert(false, "time and tags are keys");
  }
}

/** 1 or 0 a row, whether it has a value in field `id`; undefined where every row has one. Throws `corrupt` / `file_damaged`. */
export function fieldPresence(
  id: ColumnId,
  pieces: readonly Piece[],
  rowCount: number,
): Uint8Array | undefined {
  let present: Uint8Array | undefined;
  let start = 0;
  for (const { chosen, file, group, rowCount: count } of pieces) {
    const part = file.presence(group, id).present;
    if (part !== undefined && present === undefined)
      present = new Uint8Array(rowCount).fill(1, 0, start);
    if (part === undefined) present?.fill(1, start, start + count);
    else present?.set(chosen?.map((row) => part[row] as number) ?? part, start);
    start += count;
  }
  return present;
}

interface Asked {
  readonly id: ColumnId;
  readonly pieces: readonly Piece[];
}

type Values = Float64Array | BigInt64Array | Uint8Array;
type ValueCells = Extract<RowCells, { readonly kind: "doubles" | "wholes" | "booleans" }>;

function valueCells(
  kind: ValueCells["kind"],
  values: Values,
  { id, pieces }: Asked,
): RowCells | undefined {
  const cells = new Gathered(values);
  let found = false;
  for (const { chosen, file, group, rowCount } of pieces) {
    const part = file.read(group, id);
    found ||= part !== undefined;
    if (part === undefined) cells.addNulls(rowCount);
    else cells.add(part, { kind, chosen, rowCount });
  }
  return found ? ({ kind, values, ...cells.present } as RowCells) : undefined;
}

/** Values in the making. */
class Gathered {
  readonly #values: Values;
  #present: Uint8Array | undefined;
  #row = 0;

  constructor(values: Values) {
    this.#values = values;
  }

  get present(): { readonly present?: Uint8Array } {
    return this.#present === undefined ? {} : { present: this.#present };
  }

  addNulls(rowCount: number): void {
    this.#marks();
    this.#row += rowCount;
  }

  add(
    part: RowCells,
    { chosen, kind, rowCount }: Pick<Piece, "chosen" | "rowCount"> & { kind: ValueCells["kind"] },
  ): void {
    const start = this.#row;
    const target = this.#values.subarray(start, start + rowCount);
    this.#row += rowCount;
    if (part.kind === "coded wholes") {
      assert(target instanceof BigInt64Array, "a column has the kind that the catalog says");
      const codes = chosen?.map((row) => part.codes[row] as number) ?? part.codes;
      spreadCodes(part.dictionary, codes, target);
      this.#present?.fill(1, start, start + rowCount);
      return;
    }
    assert(part.kind === kind, "a column has the kind that the catalog says");
    const { present } = part;
    copyChosen(part.values, chosen, target);
    if (present === undefined) this.#present?.fill(1, start, start + rowCount);
    else this.#marks().set(chosen?.map((row) => present[row] as number) ?? present, start);
  }

  #marks(): Uint8Array {
    this.#present ??= new Uint8Array(this.#values.length).fill(1, 0, this.#row);
    return this.#present;
  }
}

function copyChosen(values: Values, chosen: Uint32Array | undefined, target: Values): void {
  if (chosen === undefined) target.set(values as never);
  else if (values instanceof BigInt64Array) spreadCodes(values, chosen, target as BigInt64Array);
  else for (let i = 0; i < chosen.length; i += 1) target[i] = values[chosen[i] as number] as number;
}

function textCells(id: ColumnId, pieces: readonly Piece[], rowCount: number): RowCells | undefined {
  const codes = new Uint32Array(rowCount);
  const codeOf = new Map<string, number>();
  let found = false;
  let start = 0;
  for (const { chosen, file, group, rowCount: count } of pieces) {
    const part = file.read(group, id);
    if (part !== undefined) {
      assert(part.kind === "texts", "a column has the kind that the catalog says");
      found = true;
      const { dictionary } = part;
      // Codes of the part, from 1, under those of all; 0 where none is given yet.
      const known = new Uint32Array(dictionary.count + 1);
      for (let i = 0; i < count; i += 1) {
        const code = part.codes[chosen === undefined ? i : (chosen[i] as number)] as number;
        if (code === 0) continue;
        if (known[code] === 0)
          known[code] = codeFor(fromUtf8(textAt(dictionary, code - 1)), codeOf);
        codes[start + i] = known[code] as number;
      }
    }
    start += count;
  }
  return found ? { kind: "texts", codes, dictionary: textsOf([...codeOf.keys()]) } : undefined;
}

function codeFor(text: string, codeOf: Map<string, number>): number {
  const known = codeOf.get(text);
  if (known !== undefined) return known;
  codeOf.set(text, codeOf.size + 1);
  return codeOf.size;
}
