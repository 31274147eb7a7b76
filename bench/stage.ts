/**
 * What the thread of the stage does, without the thread: bodies of 5,000 lines are parsed and made blocks. CPU seconds per
 * million rows of both steps, for several kinds of lines. `--merge` says how many bodies make one block.
 *
 *     node bench/stage.ts [steady shuffled …] [--bodies 40] [--rounds 3] [--merge 1]
 *
 * The least of the rounds counts: what else the machine does can only add to it.
 */
import { parseArgs } from "node:util";
import { DEFAULT_LIMITS } from "#lineprotocol/parse.ts";
import type { ParseOptions } from "#lineprotocol/parsed.ts";
import type { SeriesTable } from "#lineprotocol/series-table.ts";
import { FastParser } from "#lineprotocol/wasm/fast-parser.ts";
import type { ColumnId, DatabaseId, TableId } from "#model/ids.ts";
import { SeriesEncoder, type SeriesRows } from "#staging/worker/series-encoder.ts";
import { round } from "../scripts/long/figures.ts";
import { type Figures, report } from "./report.ts";
import { BODY_KINDS, type BodyKind, bodiesOf } from "./stage-bodies.ts";

const OPTIONS: ParseOptions = { precision: "auto", defaultTimeNs: 0n, limits: DEFAULT_LIMITS };
const ROW_COUNT = 5_000;
const TOTAL_MAX = 0.5;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    bodies: { type: "string", default: "40" },
    merge: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
  },
});

const parser = new FastParser();
const encoder = new SeriesEncoder();
const kinds = Object.entries<BodyKind>(BODY_KINDS).filter(
  ([name]) => positionals.length === 0 || positionals.includes(name),
);
const figures: Record<string, Figures[string]> = {};
for (const [name, kind] of kinds) Object.assign(figures, measure(name, kind));
const steady = Number(figures["steadyParse"]) + Number(figures["steadyEncode"]);
report("stage", figures, kinds.some(([name]) => name === "steady") ? goals() : {});

function goals(): Record<string, boolean> {
  return { [`steady lines: ${TOTAL_MAX} cpu-s per million`]: steady <= TOTAL_MAX };
}

function measure(name: string, kind: BodyKind): Figures {
  const bodies = bodiesOf(kind, Number(values.bodies), ROW_COUNT);
  let [parse, encode, blockSize] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0];
  for (let count = 0; count <= Number(values.rounds); count += 1) {
    const once = runOnce(bodies);
    blockSize = once.blockSize;
    // The first round warms up.
    if (count === 0) continue;
    parse = Math.min(parse, once.parse);
    encode = Math.min(encode, once.encode);
  }
  return {
    [`${name}Parse`]: round(parse, 3),
    [`${name}Encode`]: round(encode, 3),
    [`${name}BytesPerRow`]: round(blockSize, 1),
  };
}

/** CPU seconds per million rows, bytes of blocks per row. */
function runOnce(bodies: readonly Uint8Array[]) {
  let [parseMicros, encodeMicros, blockSize] = [0, 0, 0];
  const mergeCount = Number(values.merge);
  for (let first = 0; first < bodies.length; first += mergeCount) {
    const startedMicros = cpuMicros();
    const parsed = bodies
      .slice(first, first + mergeCount)
      .flatMap((body) => parser.parse(body, OPTIONS).tables);
    const parsedMicros = cpuMicros();
    const blocks = encoder.encode(parsed.map(allRows));
    encodeMicros += cpuMicros() - parsedMicros;
    parseMicros += parsedMicros - startedMicros;
    for (const { bytes } of blocks) blockSize += bytes.length;
  }
  const rowCount = bodies.length * ROW_COUNT;
  return {
    parse: parseMicros / rowCount,
    encode: encodeMicros / rowCount,
    blockSize: blockSize / rowCount,
  };
}

function allRows(parsed: SeriesTable): SeriesRows {
  return {
    parsed,
    rows: { start: 0, end: parsed.times.length },
    target: {
      databaseId: 1 as DatabaseId,
      tableId: 1 as TableId,
      columnIds: parsed.cells.map((_, index) => (index + 1) as ColumnId),
    },
  };
}

function cpuMicros(): number {
  const { system, user } = process.cpuUsage();
  return system + user;
}
