import type { BinaryFunction } from "./binary.ts";
import type { CoreFunction } from "./core.ts";
import type { NestedFunction } from "./nested.ts";
import type { NumberFunction } from "./number.ts";
import type { TextFunction } from "./text.ts";
import type { TimeFunction } from "./time.ts";

/**
 * Functions of one row. Every engine knows `CoreFunction`; the others are known to the engine of nodes alone, and the plain one
 * refuses them with `unsupported` / `plain_engine`.
 */
export type ScalarFunction =
  | CoreFunction
  | TextFunction
  | BinaryFunction
  | NumberFunction
  | TimeFunction
  | NestedFunction;
