/** Plans of common shapes, computed in this process from decoded columns that are kept. */
import type { DataFile } from "#model/data-file.ts";
import type { Plan, ScanColumn, ScanPlan } from "#model/query/plan.ts";
import { cellAt, type ResultBatch } from "#model/query/result.ts";
import { OpenFile } from "../duckdb/compaction/open-file.ts";
import { type PinnedFiles, Pins } from "../duckdb/pins.ts";
import type { Row, Value } from "../plain/expression/value.ts";
import { resultBatches } from "../plain/result.ts";
import { runAbove } from "../plain/run.ts";
import { ChunkCache } from "./chunk-cache.ts";
import { canGather, gather, isGathered, rowCountOf } from "./gathered.ts";
import { gatherInOrder } from "./gathered-order.ts";
import { Groups } from "./grouped.ts";
import { orderOf, placesInOrder, type RowOrder } from "./ordered.ts";
import { type OpenDataFile, type Part, type Piece, partsOf, readPieces } from "./pieces.ts";
import { type Grouping, type Shape, shapeOf } from "./shape.ts";

/** Rows that what is above the scan may be computed from: it takes them one by one. */
const ROWS_ABOVE_MAX = 20_000;
/** Rows of a scan as they are: of more the pieces take too much while a client reads them. */
const ROWS_GATHERED_MAX = 100_000;
const LEAST_STAMP = -(2n ** 63n);

export interface DirectOptions {
  readonly files: PinnedFiles;
  /** Bytes of decoded columns that are kept. */
  readonly cacheSizeMax: number;
}

export class DirectQueries {
  readonly #files: PinnedFiles;
  readonly #cache: ChunkCache;

  constructor({ cacheSizeMax, files }: DirectOptions) {
    this.#files = files;
    this.#cache = new ChunkCache(cacheSizeMax);
  }

  /** What its decoded columns take. */
  get sizeBytes(): number {
    return this.#cache.sizeBytes;
  }

  /**
   * The rows of `plan`; undefined where it is not of a shape, or its data not of a form, that is computed here, or where it gives
   * over `rowCountMax` rows of a scan as they are. Rejects as `Engine.query`.
   */
  async answer(
    plan: Plan,
    signal: AbortSignal,
    rowCountMax = ROWS_GATHERED_MAX,
  ): Promise<AsyncIterable<ResultBatch> | undefined> {
    const shape = shapeOf(plan);
    const parts = shape && partsOf(shape.scan);
    if (shape === undefined || parts === undefined) return undefined;
    const files = new AsyncDisposableStack();
    let answer: AsyncIterable<ResultBatch> | undefined;
    try {
      answer = await this.#answer(plan, shape, { parts, files, signal, rowCountMax });
      return answer && held(answer, files);
    } finally {
      if (answer === undefined) await files.disposeAsync();
    }
  }

  /** As `answer`; `files` are open until its rows have been read. */
  async #answer(
    plan: Plan,
    shape: Shape,
    { files, parts, rowCountMax, signal }: Asked,
  ): Promise<AsyncIterable<ResultBatch> | undefined> {
    const open = this.#opener(files, signal);
    const pieces = readPieces(shape, parts, { cache: this.#cache, open, signal });
    const { grouping } = shape;
    if (grouping !== undefined) return this.#group(plan, { ...shape, grouping }, pieces);
    const kept = keptColumns(plan, shape.base);
    const sorted = sortedColumns(plan, shape);
    const whole = kept !== undefined || sorted !== undefined;
    const countMax = whole ? rowCountMax : Math.min(rowCountMax, ROWS_ABOVE_MAX);
    const rows = await this.#collect(shape, pieces, countMax);
    if (rows === undefined) return undefined;
    if (kept !== undefined) return this.#gather(rows, { kept, signal });
    if (sorted !== undefined) return this.#gatherInOrder(rows, { ...sorted, signal });
    const all = shape.scan.columns.map((_, index) => index);
    const list: Row[] = [];
    for await (const batch of this.#gather(rows, { kept: all, signal }))
      list.push(...rowsOf(batch));
    return above(plan, shape, list);
  }

  async #group(
    plan: Plan,
    shape: Shape & { readonly grouping: Grouping },
    pieces: AsyncIterable<Piece | undefined>,
  ): Promise<AsyncIterable<ResultBatch> | undefined> {
    const groups = new Groups(shape);
    for await (const piece of pieces)
      if (piece === undefined || !(await groups.add(piece, this.#cache))) return undefined;
    const rows = groups.rows();
    return rows && above(plan, shape, rows);
  }

  async #collect(
    { scan }: Shape,
    pieces: AsyncIterable<Piece | undefined>,
    countMax: number,
  ): Promise<WantedRows | undefined> {
    if (!isGathered(scan)) return undefined;
    const wanted: Piece[] = [];
    let count = 0;
    for await (const piece of pieces) {
      if (piece === undefined) return undefined;
      count += rowCountOf(piece);
      if (count > countMax) return undefined;
      wanted.push(piece);
    }
    for (const piece of wanted) if (!(await canGather(scan, piece, this.#cache))) return undefined;
    return { scan, pieces: wanted };
  }

  async *#gather(
    { pieces, scan }: WantedRows,
    { kept, signal }: { readonly kept: readonly number[]; readonly signal: AbortSignal },
  ): AsyncGenerator<ResultBatch> {
    const columns = kept.map((index) => scan.columns[index] as ScanColumn);
    for (const piece of pieces) {
      for await (const batch of gather(columns, piece, this.#cache)) {
        signal.throwIfAborted();
        yield batch;
      }
    }
  }

  /** Undefined where the order is not to be told here. */
  #gatherInOrder(
    { pieces, scan }: WantedRows,
    { kept, order, signal }: SortedColumns & { readonly signal: AbortSignal },
  ): AsyncIterable<ResultBatch> | undefined {
    const columns = kept.map((index) => scan.columns[index] as ScanColumn);
    const places = placesInOrder(pieces, order);
    signal.throwIfAborted();
    return places && gatherInOrder(columns, pieces, places, this.#cache);
  }

  /** Opens each file once; `stack` closes them. */
  #opener(stack: AsyncDisposableStack, signal: AbortSignal): OpenDataFile {
    const opened = new Map<string, Promise<OpenFile>>();
    const open = async (file: DataFile) => {
      const pins = stack.use(await Pins.take(this.#files, [file], signal));
      const { key, rowCount, stampMin, time } = file;
      const path = pins.paths.get(key) ?? "";
      return stack.use(
        new OpenFile({ key, rowCount, stampMin, time, path, stampAbove: LEAST_STAMP }),
      );
    };
    return (file) => {
      const found = opened.get(file.key) ?? open(file);
      opened.set(file.key, found);
      return found;
    };
  }
}

interface Asked {
  readonly files: AsyncDisposableStack;
  readonly parts: readonly Part[];
  readonly rowCountMax: number;
  readonly signal: AbortSignal;
}

interface WantedRows {
  readonly scan: ScanPlan;
  readonly pieces: readonly Piece[];
}

/** Where the fields of `plan` are in those of `base`, where nothing is computed between them; undefined where something is. */
function keptColumns(plan: Plan, base: Plan): readonly number[] | undefined {
  if (plan === base) return base.fields.map((_, index) => index);
  if (plan.kind !== "project") return undefined;
  const below = keptColumns(plan.input, base);
  if (below === undefined) return undefined;
  const kept: number[] = [];
  for (const expression of plan.expressions) {
    const place = expression.kind === "input" ? below[expression.index] : undefined;
    if (place === undefined) return undefined;
    kept.push(place);
  }
  return kept;
}

interface SortedColumns {
  readonly kept: readonly number[];
  readonly order: RowOrder;
}

/** Where `plan` only sorts rows of a scan, and gives columns of them: which, and in which order. */
function sortedColumns(plan: Plan, { base, scan }: Shape): SortedColumns | undefined {
  let sort = plan;
  while (sort.kind === "project") sort = sort.input;
  if (sort.kind !== "sort" || sort.input !== base) return undefined;
  const order = orderOf(sort, scan);
  const kept = keptColumns(plan, sort);
  return order && kept && { kept, order };
}

/** Gives `batches`, and lets go of `files` when that has ended. */
async function* held(
  batches: AsyncIterable<ResultBatch>,
  files: AsyncDisposableStack,
): AsyncGenerator<ResultBatch> {
  try {
    yield* batches;
  } finally {
    await files.disposeAsync();
  }
}

async function* above(
  plan: Plan,
  { base }: Shape,
  rows: readonly Row[],
): AsyncGenerator<ResultBatch> {
  yield* resultBatches(await runAbove(plan, base, rows), plan.fields);
}

function* rowsOf({ columns, rowCount }: ResultBatch): Generator<Row> {
  for (let row = 0; row < rowCount; row += 1)
    yield columns.map((column) => cellAt(column, row) as Value);
}
