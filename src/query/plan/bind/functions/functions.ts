import { BINARY_FUNCTIONS } from "./binary.ts";
import type { Builder } from "./builder.ts";
import { CHOICE_FUNCTIONS } from "./choice.ts";
import { NESTED_FUNCTIONS } from "./nested/nested.ts";
import { NUMBER_FUNCTIONS } from "./number.ts";
import { REGEXP_FUNCTIONS } from "./regexp.ts";
import { TEXT_FUNCTIONS } from "./text.ts";
import { TIME_FUNCTIONS } from "./time.ts";

/** The functions of SQL that compute from one row, by name. */
export const FUNCTIONS: Readonly<Record<string, Builder>> = {
  ...TEXT_FUNCTIONS,
  ...REGEXP_FUNCTIONS,
  ...BINARY_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...CHOICE_FUNCTIONS,
  ...TIME_FUNCTIONS,
  ...NESTED_FUNCTIONS,
};
