import { DbError } from "#base/errors.ts";
import { findZone } from "#model/time/zone.ts";
import { CHUNK_LENGTH } from "../../result/text.ts";
import type { Message, SeriesChunk } from "../answer.ts";
import { type CellStyle, cellTexts, epochTexts } from "./cells.ts";
import { floatText, jsonText } from "./json-text.ts";
import { type Rows, sortedTags } from "./parts.ts";
import type { AnswerStyle } from "./result.ts";
import { timeTexts } from "./times.ts";

/** Rows whose cells are made at once. */
const BLOCK_ROWS = 1024;

/** Where line breaks and spaces go. */
interface Layout {
  /** What begins a line at `depth`. */
  line(depth: number): string;
  readonly colon: string;
}

const COMPACT: Layout = { line: () => "", colon: ":" };
const PRETTY: Layout = { line: (depth) => `\n${"    ".repeat(depth)}`, colon: ": " };

/** The document that says why a whole request was refused. */
export function jsonError(message: string, pretty: boolean): string {
  const layout = pretty ? PRETTY : COMPACT;
  return `{${layout.line(1)}"error"${layout.colon}${jsonText(message)}${layout.line(0)}}\n`;
}

export function isInfinity(error: unknown): error is DbError {
  return error instanceof DbError && error.code === "json_number";
}

/** What InfluxDB 1.6 answers, though it is no JSON. */
export function infinityText(error: DbError): string {
  const within = ["httpd.Response", "*query.Result"];
  const outer = within.map((type) => `json: error calling MarshalJSON for type ${type}: `);
  return `${outer.join("")}${error.message}\n`;
}

/** What documents are made of. A statement's members stand at depth 3, those of its series at 5, rows at 6, their cells at 7. */
export class JsonPieces {
  readonly #style: AnswerStyle;
  readonly #layout: Layout;

  constructor(style: AnswerStyle) {
    this.#style = style;
    this.#layout = style.pretty ? PRETTY : COMPACT;
  }

  /** How cells are written; times as text in `zone`. */
  cells(zoneName: string | undefined): CellStyle {
    const { epochUnitNs } = this.#style;
    const zone = zoneName === undefined ? undefined : findZone(zoneName);
    return {
      missing: "null",
      text: jsonText,
      float: jsonFloat,
      times:
        epochUnitNs === undefined
          ? (values, range) => timeTexts(values, range, '"', zone)
          : (values, range) => epochTexts(values, range, epochUnitNs),
    };
  }

  documentStart(): string {
    return `{${this.#line(1)}"results"${this.#layout.colon}[`;
  }

  documentEnd(): string {
    return `${this.#line(1)}]${this.#line(0)}}\n`;
  }

  /** A document of one statement that has no series. */
  document(id: number, members: string): string {
    const statement = this.statementStart(id) + members + this.statementEnd();
    return this.documentStart() + statement + this.documentEnd();
  }

  statementStart(id: number): string {
    return `${this.#line(2)}{${this.#line(3)}"statement_id"${this.#layout.colon}${id}`;
  }

  statementEnd(): string {
    return `${this.#line(2)}}`;
  }

  messages(messages: readonly Message[]): string {
    if (messages.length === 0) return "";
    const items = messages.map(
      ({ level, text }) =>
        `${this.#line(4)}{${this.#key(5, "level")}${jsonText(level)},${this.#key(5, "text")}${jsonText(text)}${this.#line(4)}}`,
    );
    return `,${this.#key(3, "messages")}[${items.join(",")}${this.#line(3)}]`;
  }

  partial(): string {
    return `,${this.#key(3, "partial")}true`;
  }

  error({ message }: DbError): string {
    return `,${this.#key(3, "error")}${jsonText(message)}`;
  }

  seriesListStart(): string {
    return `,${this.#key(3, "series")}[`;
  }

  seriesListEnd(): string {
    return `${this.#line(3)}]`;
  }

  /** Up to its rows. */
  seriesStart(head: SeriesChunk): string {
    const members: string[] = [];
    if (head.name !== "") members.push(this.#key(5, "name") + jsonText(head.name));
    if (head.tags.length > 0) {
      const tags = sortedTags(head.tags).map(([key, value]) => this.#key(6, key) + jsonText(value));
      members.push(`${this.#key(5, "tags")}{${tags.join(",")}${this.#line(5)}}`);
    }
    const columns = head.columns.map((column) => this.#line(6) + jsonText(column));
    members.push(`${this.#key(5, "columns")}[${columns.join(",")}${this.#line(5)}]`);
    return `${this.#line(4)}{${members.join(",")}`;
  }

  seriesEnd(hasRows: boolean, partial: boolean): string {
    const values = hasRows ? `${this.#line(5)}]` : "";
    return `${values}${partial ? `,${this.#key(5, "partial")}true` : ""}${this.#line(4)}}`;
  }

  /**
   * The texts of some rows, one after the other. `isFirst`: of their series, in this document. Throws `unsupported` / `json_number`.
   */
  *rows({ chunk, end, start }: Rows, isFirst: boolean, cells: CellStyle): Generator<string> {
    const rowStart = `${this.#line(6)}[${this.#line(7)}`;
    const separator = `,${this.#line(7)}`;
    const rowEnd = `${this.#line(6)}]`;
    let before = isFirst ? `,${this.#key(5, "values")}[` : ",";
    for (let from = start; from < end; from += BLOCK_ROWS) {
      const to = Math.min(end, from + BLOCK_ROWS);
      const [first = [], ...others] = chunk.cells.map((column) =>
        cellTexts(column, [from, to], cells),
      );
      let text = "";
      for (let row = 0; row < to - from; row++) {
        text += before + rowStart + first[row];
        before = ",";
        for (const column of others) text += separator + column[row];
        text += rowEnd;
        if (text.length < CHUNK_LENGTH) continue;
        yield text;
        text = "";
      }
      yield text;
    }
  }

  #line(depth: number): string {
    return this.#layout.line(depth);
  }

  #key(depth: number, name: string): string {
    return `${this.#line(depth)}${jsonText(name)}${this.#layout.colon}`;
  }
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return "null";
  if (Number.isFinite(value)) return floatText(value);
  throw new DbError(
    "unsupported",
    "json_number",
    `json: unsupported value: ${value > 0 ? "+" : "-"}Inf`,
  );
}
