import {
  BooleanColumn,
  type ColumnBuilder,
  FloatColumn,
  TextColumn,
  WholeColumn,
} from "../columns/columns.ts";
import type { LineShape } from "../line/line-reader.ts";
import type { Layout, TableRows } from "./fill-rows.ts";
import type { Machine } from "./machine.ts";

const HEAD_SIZE = 16;
const FIELD_SIZE = 24;
const TAG_SIZE = 16;
/** Ways in which the fields of one table may be made up before no more are learnt. */
const FIELDS_COUNT_MAX = 16;
/** Ways in which the tags of the lines of a body may be made up. */
const TAGS_COUNT_MAX = 64;
const STRING = 4;

/** Teaches the machine in which ways lines are made up. */
export class Layouts {
  /** The columns of each layout of tags, by its place. */
  readonly tagColumns = new Map<number, readonly number[]>();
  readonly #machine: Machine;
  readonly #bodyAt: number;
  readonly #tagNames = new Set<string>();

  constructor(machine: Machine, bodyAt: number) {
    this.#machine = machine;
    this.#bodyAt = bodyAt;
  }

  /** The tags of the line at `start`. */
  learnTags(rows: TableRows, shape: LineShape, start: number): void {
    const { columns, tagCount, tagsRead, tagStarts, tagValueStarts } = shape;
    if (!tagsRead || tagCount === 0 || this.#tagNames.size >= TAGS_COUNT_MAX) return;
    const tags = columns.slice(0, tagCount);
    const name = `${rows.number} ${tags.map(({ index }) => index).join()}`;
    if (this.#tagNames.has(name)) return;
    this.#tagNames.add(name);
    const machine = this.#machine;
    const at = machine.takeZeros(HEAD_SIZE + tagCount * TAG_SIZE);
    machine.setWord(at, rows.at);
    machine.setWord(at + 4, tagCount);
    for (const [place, tag] of tags.entries()) {
      const entry = at + HEAD_SIZE + place * TAG_SIZE;
      // The name of the table belongs to the first key, a comma to each of the others.
      const keyStart = place === 0 ? start : (tagStarts[place] as number) - 1;
      machine.setWord(entry, this.#bodyAt + keyStart);
      machine.setWord(entry + 4, (tagValueStarts[place] as number) - keyStart);
      machine.setWord(entry + 8, rows.domains.of(tag.index));
    }
    this.tagColumns.set(
      at,
      tags.map(({ index }) => index),
    );
    machine.exports.addTags(at);
  }

  learnFields(rows: TableRows, shape: LineShape): void {
    const { columnCount, columns, fieldStarts, tagCount, valueStarts } = shape;
    const fields = columns.slice(tagCount, columnCount);
    const kinds = fields.map((field) => kindOf(field));
    if (kinds.includes(undefined)) return;
    const name = fields.map(({ index }) => index).join();
    if (rows.layouts.has(name) || rows.layouts.size >= FIELDS_COUNT_MAX) return;
    const machine = this.#machine;
    const at = machine.takeZeros(HEAD_SIZE + fields.length * FIELD_SIZE);
    machine.setWord(at, rows.at);
    machine.setWord(at + 4, fields.length);
    machine.setWord(at + 8, machine.word(rows.at + 8));
    machine.setWord(rows.at + 8, at);
    machine.setWord(rows.at + 4, at);
    for (const [place, field] of fields.entries()) {
      const entry = at + HEAD_SIZE + place * FIELD_SIZE;
      // The comma in front of the key is compared with it.
      const start = (fieldStarts[place] as number) - (place === 0 ? 0 : 1);
      machine.setWord(entry, this.#bodyAt + start);
      machine.setWord(entry + 4, (valueStarts[place] as number) - start);
      machine.setWord(entry + 8, kinds[place] as number);
      machine.setWord(entry + 12, field.index);
      machine.setWord(entry + 16, rows.domains.of(field.index));
    }
    rows.layouts.set(name, { at, columns: fields.map(({ index }) => index) } satisfies Layout);
  }
}

/** As lines.as numbers them; undefined for what it does not read. */
function kindOf(column: ColumnBuilder): number | undefined {
  if (column instanceof FloatColumn) return 0;
  if (column instanceof WholeColumn) return column.kind === "integer" ? 1 : 2;
  if (column instanceof BooleanColumn) return 3;
  return column instanceof TextColumn ? STRING : undefined;
}
