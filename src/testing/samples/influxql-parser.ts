import { isDeepStrictEqual } from "node:util";
import { isKind } from "#base/errors.ts";
import type { Random } from "#ports/random.ts";
import { parseInfluxQl } from "#query/influxql/parse/parse.ts";
import { printStatement } from "#query/influxql/print/print.ts";
import { anyStatement, brokenStatement } from "./influxql.ts";

/** What became of texts of chance. */
export interface ParserCounts {
  /** Statements that were printed and read again. */
  readonly printedCount: number;
  readonly refusedCount: number;
  /** Broken texts that are InfluxQL all the same. */
  readonly readCount: number;
}

/**
 * Parses `textCount` texts of chance: of a quarter each must print as what parses to the same, the others may fail as a user's mistake
 * and in no other way. Throws what says which text did not.
 */
export function checkParser(random: Random, textCount: number): ParserCounts {
  let [printedCount, refusedCount, readCount] = [0, 0, 0];
  for (let index = 0; index < textCount; index++) {
    if (index % 4 === 0) {
      checkPrinted(anyStatement(random));
      printedCount += 1;
    } else if (isRefused(brokenStatement(random))) {
      refusedCount += 1;
    } else {
      readCount += 1;
    }
  }
  return { printedCount, refusedCount, readCount };
}

function checkPrinted(text: string): void {
  const statement = readOne(text);
  const printed = printStatement(statement);
  if (isDeepStrictEqual(readOne(printed), statement)) return;
  throw new Error(`${JSON.stringify(text)} is printed as something else: ${printed}`);
}

function readOne(text: string) {
  const [parsed, ...others] = parseInfluxQl(text);
  if (parsed !== undefined && others.length === 0) return parsed.statement;
  throw new Error(`${JSON.stringify(text)} is not one statement`);
}

function isRefused(text: string): boolean {
  try {
    parseInfluxQl(text);
    return false;
  } catch (cause) {
    if (isKind(cause, "invalid") && cause.code === "influxql_syntax") return true;
    throw new Error(`${JSON.stringify(text)} fails in another way than it should`, { cause });
  }
}
