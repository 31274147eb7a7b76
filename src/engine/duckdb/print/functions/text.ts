/** The functions of model/query/functions/text.ts as engine SQL. */
import { TEXT_LENGTH_MAX, type TextFunction } from "#model/query/functions/text.ts";
import { printError } from "../cast.ts";
import { printLet } from "./let.ts";
import { type CallPrinter, named, type Printers } from "./printer.ts";
import {
  printRegexpCount,
  printRegexpMatch,
  printRegexpPosition,
  printRegexpReplace,
} from "./regexp.ts";

const CHARACTER_MAX = 0x10ffff;

export const TEXT: Printers<TextFunction> = {
  reverse: ([a = ""]) => `array_to_string(list_reverse(regexp_extract_all(${a}, '(?s).')), '')`,
  repeat: (args) =>
    printLet(args, (a = "", count = "") =>
      printBounded(
        `length(${a}) * CAST(${count} AS HUGEINT)`,
        `repeat(${a}, ${printCount(count)})`,
      ),
    ),
  ascii: ([a = ""]) => `ascii(${a})`,
  chr: ([a = ""]) => {
    const known = `${a} BETWEEN 0 AND ${CHARACTER_MAX} AND ${a} NOT BETWEEN 55296 AND 57343`;
    return `(CASE WHEN ${a} IS NULL THEN NULL WHEN ${known} THEN chr(CAST(${a} AS INTEGER)) ELSE ${printError("argument_invalid")} END)`;
  },
  bit_length: ([a = ""]) => `CAST(bit_length(${a}) AS INTEGER)`,
  byte_length: ([a = ""]) => `CAST(strlen(${a}) AS INTEGER)`,
  trim_of: named("trim"),
  ltrim_of: named("ltrim"),
  rtrim_of: named("rtrim"),
  pad_left: padding("lpad"),
  pad_right: padding("rpad"),
  initcap: (args) =>
    printLet(args, (a = "") => {
      const words = `regexp_extract_all(lower(${a}), '[\\p{L}\\p{N}]+|[^\\p{L}\\p{N}]+')`;
      return `array_to_string(list_transform(${words}, lambda word: upper(word[1]) || word[2:]), '')`;
    }),
  translate: named("translate"),
  concat_ws: named("concat_ws"),
  contains: named("contains"),
  find_in_set: (args) =>
    printLet(args, (a = "", list = "") => {
      const place = `coalesce(list_position(string_split(${list}, ','), ${a}), 0)`;
      return `(CASE WHEN ${a} IS NOT NULL AND ${list} IS NOT NULL THEN CAST(${place} AS INTEGER) END)`;
    }),
  levenshtein: named("tl_levenshtein"),
  split_part: ([a = "", delimiter = "", index = ""]) =>
    `(CASE WHEN ${index} = 0 THEN ${printError("argument_invalid")} ELSE split_part(${a}, ${delimiter}, ${index}) END)`,
  substr_index: (args) => printLet(args, printPartBefore),
  overlay: (args) => printLet(args, printOverlay),
  to_hex: ([a = ""]) => `lower(to_hex(${a}))`,
  uuid: () => "CAST(gen_random_uuid() AS VARCHAR)",
  regexp_count: printRegexpCount,
  regexp_match: printRegexpMatch,
  regexp_replace: printRegexpReplace,
  regexp_instr: printRegexpPosition,
};

function printPartBefore(text = "", delimiter = "", count = ""): string {
  const parts = `string_split(${text}, ${delimiter})`;
  const first = `array_to_string(${parts}[1:${count}], ${delimiter})`;
  const last = `array_to_string(${parts}[${count}:], ${delimiter})`;
  const branches = [
    `WHEN ${text} IS NULL OR ${delimiter} IS NULL OR ${count} IS NULL THEN NULL`,
    `WHEN ${delimiter} = '' OR ${count} = 0 THEN ''`,
    `WHEN ${count} > 0 THEN ${first}`,
    `WHEN len(${parts}) <= - ${count} THEN ${text}`,
  ];
  return `(CASE ${branches.join(" ")} ELSE ${last} END)`;
}

/** Nothing of the text is before a start beyond its end; what gives way is no longer than the text. */
function printOverlay(text = "", part = "", start = "", count = ""): string {
  const before = `CASE WHEN ${start} - 1 BETWEEN 1 AND length(${text}) - 1 THEN left(${text}, ${start} - 1) ELSE '' END`;
  const end = `(${start} + least(${count}, length(${text})) - 1)`;
  const after = `CASE WHEN ${end} BETWEEN 0 AND length(${text}) - 1 THEN substr(${text}, ${end} + 1) ELSE '' END`;
  const known = `${text} IS NOT NULL AND ${start} IS NOT NULL AND ${count} IS NOT NULL`;
  return `(CASE WHEN ${known} THEN ${before} || ${part} || ${after} END)`;
}

/** `text` unless it would have more than TEXT_LENGTH_MAX characters. */
function printBounded(length: string, text: string): string {
  return `(CASE WHEN ${length} > ${TEXT_LENGTH_MAX} THEN ${printError("text_too_long")} ELSE ${text} END)`;
}

/** None below 0; NULL stays NULL, which the engine's `greatest` would leave out. */
function printCount(count: string): string {
  return `(CASE WHEN ${count} < 0 THEN 0 ELSE ${count} END)`;
}

/** The engine has no answer for nothing to fill with. */
function padding(name: "lpad" | "rpad"): CallPrinter {
  return (args) =>
    printLet(args, (a = "", length = "", fill = "") => {
      const count = `CAST(${printCount(length)} AS INTEGER)`;
      const padded = `CASE WHEN ${fill} = '' THEN left(${a}, ${count}) ELSE ${name}(${a}, ${count}, ${fill}) END`;
      return printBounded(length, padded);
    });
}
