import type { Server } from "../scripts/long/server.ts";
import type { BenchFolder } from "./node.ts";

/** Rows of one write. */
const BATCH_SIZE = 10_000;
const HOST_COUNT = 100;
const START_NS = 1_700_000_000_000_000_000n;
const STEP_NS = 1_000_000_000n;

/** Line protocol of rows `first` to before `last`: a tag of a few hosts, two floats and a whole number, times that rise. */
export function cpuLines(first: number, last: number): string {
  const rows: string[] = [];
  for (let row = first; row < last; row += 1) {
    const time = START_NS + BigInt(row) * STEP_NS;
    const load = Math.round(Math.sin(row) * 10_000) / 100;
    const free = (row * 7919) % 100_003;
    rows.push(
      `cpu,host=host_${row % HOST_COUNT} load=${load},temp=${Math.cos(row)},free=${free}i ${time}`,
    );
  }
  return rows.join("\n");
}

/** A node of `folder` that runs and has `rowCount` rows of table `cpu` in `database`; files of them are still to be made. */
export async function startWithCpu(
  folder: BenchFolder,
  database: string,
  rowCount: number,
): Promise<Server> {
  const server = await folder.node("host01", "all", ["--snapshot-age", "3s"]);
  server.start();
  await server.ready();
  for (let first = 0; first < rowCount; first += BATCH_SIZE)
    await server.write(database, cpuLines(first, Math.min(rowCount, first + BATCH_SIZE)));
  return server;
}
