/**
 * Many series in one table, many tables, many columns: what it costs to write them, to ask, to make files and to start again.
 *
 *     node bench/cardinality.ts [series] [tables] [columns] [--series 1000000] [--tables 10000] [--rows 20000] [--profile FOLDER]
 *
 * Each case has a node of its own and is written twice: with everything new, then with other times.
 */
import { parseArgs } from "node:util";
import { type Case, manyColumns, manySeries, manyTables } from "./cardinality/cases.ts";
import { runCase } from "./cardinality/run.ts";
import { report } from "./report.ts";

const RESIDENT_MB_MAX = 1_536;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    series: { type: "string", default: "1000000" },
    tables: { type: "string", default: "10000" },
    /** Of the table with many columns. */
    rows: { type: "string", default: "20000" },
    connections: { type: "string", default: "2" },
    /** Where the processes of the node leave their CPU profiles. */
    profile: { type: "string" },
  },
});

const CASES: Readonly<Record<string, () => Case>> = {
  series: () => manySeries(Number(values.series)),
  tables: () => manyTables(Number(values.tables)),
  columns: () => manyColumns(Number(values.rows)),
};

for (const name of positionals.length > 0 ? positionals : Object.keys(CASES)) {
  const make = CASES[name];
  if (make === undefined)
    throw new Error(`there is no case ${name}; there are ${Object.keys(CASES).join(", ")}`);
  const connectionCount = Number(values.connections);
  const { figures, wrong } = await runCase(make(), { connectionCount, profile: values.profile });
  for (const story of wrong) process.stdout.write(`wrong: ${story}\n`);
  report("cardinality", figures, {
    "every answer exact": wrong.length === 0,
    [`memory at most ${RESIDENT_MB_MAX} MiB`]: Number(figures["residentMBMost"]) <= RESIDENT_MB_MAX,
  });
}
