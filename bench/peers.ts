/** The driver that fills servers, and the script that starts influxd and VictoriaMetrics: not part of this repository. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const TOOLS = fileURLToPath(new URL("../../shared/bench/", import.meta.url));

/** What the driver's hundred hosts write in an hour, each every ten seconds. */
const ROWS_PER_HOUR = 36_000;

/** What is missing to measure beside a peer, in words. */
export async function missingTool(): Promise<string | undefined> {
  if (!existsSync(join(TOOLS, "side-by-side.mjs"))) return "the driver is not here";
  for (const program of ["influxd", "victoria-metrics"]) {
    const found = await promisify(execFile)("sh", ["-c", `command -v ${program}`]).catch(
      () => undefined,
    );
    if (found === undefined) return `${program} is not installed`;
  }
  return undefined;
}

/** Hours of data of which the driver makes `rowCount` rows. */
export function driverHours(rowCount: number): number {
  return Math.ceil(rowCount / ROWS_PER_HOUR) + 1;
}
