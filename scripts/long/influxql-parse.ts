import { seededRandom } from "#ports/random.ts";
import { checkParser } from "#testing/samples/influxql-parser.ts";
import { print } from "./output.ts";

/** Texts of one seed, so that one that fails is soon found again. */
const STEP = 250_000;

/** Feeds `textCount` statements of chance, and texts that are nearly such, to the parser of InfluxQL. */
export async function runInfluxQlParse({
  textCount,
}: {
  textCount: number;
}): Promise<readonly string[]> {
  const totals = { printedCount: 0, refusedCount: 0, readCount: 0 };
  for (let done = 0; done < textCount; done += STEP) {
    const seed = 1_000 + done / STEP;
    try {
      const counts = checkParser(seededRandom(seed), Math.min(STEP, textCount - done));
      totals.printedCount += counts.printedCount;
      totals.refusedCount += counts.refusedCount;
      totals.readCount += counts.readCount;
    } catch (error) {
      return [`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`];
    }
  }
  const { printedCount, refusedCount, readCount } = totals;
  print(
    `influxql-parse: ${printedCount} printed and read again, ${refusedCount} refused, ${readCount} broken and read`,
  );
  return [];
}
