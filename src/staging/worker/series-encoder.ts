import { assert } from "#base/errors.ts";
import { findSeries } from "#block/series.ts";
import { type SeriesBatch, SeriesBlockEncoder, type TextPart } from "#block/wasm/series-block.ts";
import type { SeriesTable } from "#lineprotocol/series-table.ts";
import type { BatchColumn, ColumnData } from "#model/batch.ts";
import type { FlushBlock } from "#model/flush.ts";
import type { ColumnId, TableId } from "#model/ids.ts";
import { isEmpty, takeCells, takeRows } from "../batches.ts";
import { foldColumn } from "../fold.ts";
import { concatColumn, concatTimes, recoded } from "../merge.ts";
import type { RowSelection, StagedTarget } from "../stage.ts";

/** Rows of a body that stand by series. */
export interface SeriesRows {
  readonly parsed: SeriesTable;
  readonly rows: RowSelection;
  readonly target: StagedTarget;
}

/** Some rows as they are in a body: `SeriesBatch`, but that two series may have the same tags. */
type Piece = Pick<SeriesBatch, "times" | "series" | "seriesCount" | "cells">;

/** Makes the blocks that `encodeRows` makes. What it costs goes by rows and fields, and by series and tags. */
export class SeriesEncoder {
  readonly #blocks = new SeriesBlockEncoder();

  /** As `Stage.encode`. */
  encode(parts: readonly SeriesRows[]): readonly FlushBlock[] {
    const byTable = Map.groupBy(parts, ({ target }): TableId => target.tableId);
    return [...byTable.values()].map((ofTable) => this.#encodeTable(ofTable));
  }

  #encodeTable(parts: readonly SeriesRows[]): FlushBlock {
    const [first] = parts;
    assert(first !== undefined, "a table of a flush has rows");
    const { databaseId, tableId } = first.target;
    const merged = this.#fold(distinct(this.#join(parts.map(pieceOf))));
    return { databaseId, tableId, bytes: this.#blocks.encode({ databaseId, tableId, ...merged }) };
  }

  /** The rows of all pieces, one behind the other. */
  #join(pieces: readonly Piece[]): Piece {
    const [first] = pieces;
    assert(first !== undefined, "there is something to join");
    if (pieces.length === 1) return first;
    const times = concatTimes(pieces);
    const series = new Uint32Array(times.length);
    let [row, seriesCount] = [0, 0];
    for (const piece of pieces) {
      for (const number of piece.series) series[row++] = seriesCount + number;
      seriesCount += piece.seriesCount;
    }
    const ids = [...new Set(pieces.flatMap(({ cells }) => cells.map(({ id }) => id)))];
    const cells = ids
      .toSorted((a, b) => a - b)
      .map((id): BatchColumn => ({ id, data: this.#joinColumn(pieces, id) }));
    return { times, series, seriesCount, cells };
  }

  #joinColumn(pieces: readonly Piece[], id: ColumnId): ColumnData {
    const columns = pieces.map(({ cells }) => cells.find((column) => column.id === id)?.data);
    const kind = columns.find((data) => data !== undefined)?.kind;
    const parts = pieces.map(({ seriesCount, times }, index) => ({
      rowCount: kind === "tag" ? seriesCount : times.length,
      data: columns[index],
    }));
    const texts =
      kind === "tag" || kind === "string"
        ? this.#blocks.joinTexts(parts.map(textPart), kind)
        : undefined;
    return (
      texts ??
      concatColumn(
        parts,
        parts.reduce((sum, { rowCount }) => sum + rowCount, 0),
      )
    );
  }

  /** Of rows with the same series and time one stays, with the last value of each field. */
  #fold(piece: Piece): Piece {
    const keptRow = this.#blocks.findRepeats(piece);
    if (keptRow === undefined) return piece;
    const kept = Uint32Array.from(keptRow.keys()).filter((row) => keptRow[row] === row);
    const cells = piece.cells.map(({ id, data }): BatchColumn => {
      if (data.kind === "tag") return { id, data };
      // A body may be encoded once more: its cells stay as they are.
      const own = takeRows(data, Uint32Array.from(keptRow.keys()));
      foldColumn(own, keptRow);
      return recoded({ id, data: takeRows(own, kept) });
    });
    const { seriesCount } = piece;
    // The first row of each series stays, so that series keep their numbers.
    const series = takeCells(piece.series, kept);
    return { times: takeCells(piece.times, kept), series, seriesCount, cells };
  }
}

function pieceOf({ parsed, rows, target }: SeriesRows): Piece {
  const isWhole =
    !(rows instanceof Uint32Array) && rows.start === 0 && rows.end === parsed.times.length;
  const { columnIds } = target;
  const [series, usedSeries] = isWhole ? [parsed.series, undefined] : seriesOf(parsed, rows);
  const seriesCount = usedSeries?.length ?? parsed.seriesCount;
  const cells = parsed.cells.flatMap(({ data, name }, index): BatchColumn[] => {
    const taken = isWhole ? data : takeSome(data, rows, usedSeries);
    // A column that only rejected lines used has no value here, and may have no id.
    if (!isWhole && isEmpty(taken, data.kind === "tag" ? seriesCount : series.length)) return [];
    const id = columnIds[index];
    assert(id !== undefined, `column ${name} has values, and no id`);
    return [isWhole ? { id, data: taken } : recoded({ id, data: taken })];
  });
  const times = takeCells(parsed.times, rows);
  return { times, series, seriesCount, cells: cells.toSorted((a, b) => a.id - b.id) };
}

function textPart({
  data,
  rowCount,
}: {
  readonly data: ColumnData | undefined;
  readonly rowCount: number;
}): TextPart {
  return { rowCount, data: data !== undefined && "codes" in data ? data : undefined };
}

function takeSome(
  data: ColumnData,
  rows: RowSelection,
  usedSeries: Uint32Array | undefined,
): ColumnData {
  return takeRows(data, data.kind === "tag" && usedSeries !== undefined ? usedSeries : rows);
}

/** The series of `rows`, numbered anew in order of appearance, and for each what it was. */
function seriesOf(
  { series, seriesCount }: SeriesTable,
  rows: RowSelection,
): [Uint32Array, Uint32Array] {
  const numbers = takeCells(series, rows).slice();
  // By old number, counting from 1.
  const numberOf = new Uint32Array(seriesCount);
  const used: number[] = [];
  for (let row = 0; row < numbers.length; row += 1) {
    const old = numbers[row] as number;
    if (numberOf[old] === 0) numberOf[old] = used.push(old);
    numbers[row] = (numberOf[old] as number) - 1;
  }
  return [numbers, Uint32Array.from(used)];
}

/** The same rows, with one series for all that have the same tags. */
function distinct(piece: Piece): Piece {
  const codes = piece.cells.flatMap(({ data }) =>
    data.kind === "tag" && "codes" in data ? [data.codes] : [],
  );
  if (codes.length === 0) {
    return { ...piece, series: new Uint32Array(piece.times.length), seriesCount: 1 };
  }
  const found = findSeries(codes);
  const seriesCount = found.firstRows.length;
  if (seriesCount === piece.seriesCount) return piece;
  const series = new Uint32Array(piece.series.length);
  for (let row = 0; row < series.length; row += 1)
    series[row] = found.series[piece.series[row] as number] as number;
  const firsts = Uint32Array.from(found.firstRows);
  const cells = piece.cells.map(({ id, data }): BatchColumn => {
    return { id, data: data.kind === "tag" ? takeRows(data, firsts) : data };
  });
  return { times: piece.times, series, seriesCount, cells };
}
