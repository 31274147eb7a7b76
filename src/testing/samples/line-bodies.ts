/** Bodies of lines much like each other, as writers send them, and what may happen to such lines. */
import { below, type Random } from "#ports/random.ts";

type Written = (random: Random) => string;

/** Any double, written in 15 to 20 digits; subnormal ones and powers of ten of every size among them. */
function anyFloat(random: Random): string {
  const bits = new BigUint64Array([
    (BigInt(below(random, 2 ** 32)) << 32n) | BigInt(below(random, 2 ** 32)),
  ]);
  const value = new Float64Array(bits.buffer)[0] as number;
  if (!Number.isFinite(value)) return "1";
  return random.next() < 0.5 ? String(value) : value.toExponential(14 + below(random, 6));
}

/** Half way between two doubles, or a digit beside it. */
function halfWay(random: Random): string {
  const odd =
    (BigInt(below(random, 2 ** 27)) << 27n) | (1n << 53n) | BigInt(below(random, 2 ** 26) * 2 + 1);
  const power = below(random, 4);
  const digits = odd * 5n ** BigInt(power) + BigInt(below(random, 3) - 1);
  const text = String(digits).padStart(power + 1, "0");
  if (power > 0) return `${text.slice(0, -power)}.${text.slice(-power)}`;
  return random.next() < 0.5 ? text : String(digits << BigInt(below(random, 10)));
}

/** A float that is hard to round. */
export function hardFloat(random: Random): string {
  return random.next() < 0.5 ? anyFloat(random) : halfWay(random);
}

/** Text of up to 40 characters, one of `pieces` at any place. */
function textWith(random: Random, pieces: readonly string[]): string {
  const size = below(random, 40);
  const before = below(random, size + 1);
  const piece = random.next() < 0.7 ? pick(random, pieces) : "";
  return "x".repeat(before) + piece + String(below(random, 10)).repeat(size - before);
}

const IN_STRINGS = ['\\"', "\\\\", "\\", "\n", ", ", "=", "é", "😀", '\\"\\"', '\\\\\\"'];
const IN_TAGS = ["\\ ", "\\,", "\\=", "\\\\", "\\x", "=", '"', "é", "😀", "\\ \\,", "\t", "\\\\,"];

/** How the values of a field are written. */
const VALUES: readonly Written[] = [
  anyFloat,
  halfWay,
  (random) => String(random.next() * 100 + random.next()),
  (random) => String(below(random, 100)),
  (random) => (random.next() * 100).toFixed(below(random, 6)),
  (random) => `-${(random.next() * 1e6).toFixed(below(random, 20))}`,
  (random) => String(random.next() * 10 ** (below(random, 40) - 20)),
  (random) => `${below(random, 2 ** 30) - 2 ** 29}i`,
  (random) => `${below(random, 2 ** 30)}u`,
  (random) => pick(random, ["t", "F", "true", "False", "TRUE", "f", "T"]),
  (random) => pick(random, ['"text"', '"a \\" b"', '"two\nlines"', '""']),
  (random) => `"${textWith(random, IN_STRINGS)}"`,
];
/** Values that few lines have, not all of them good. */
const ODD_VALUES =
  `9223372036854775807i -9223372036854775808i 9223372036854775808i -1i 0i 18446744073709551615u 18446744073709551616u -1u
00012 -0 0.1 1e5 1E-3 9007199254740991 9007199254740992 9007199254740993 1e23 8.5e22 5e-324 2.2250738585072011e-308 2.4703282292062327e-324 1.7976931348623159e308 1e-400 0e999
0.000000000000000000000000123456789 12345678901234567890 1234567890123456789012345 100000000000000016777215 1e+5 1e 1e+ 00.10e-01 123456789012345678 0.30000000000000004 1. .5 --1 tru fALSE "
1x NaN 1e999 `.split(/[ \n]/);
const TIMES: readonly Written[] = [
  () => "",
  (random) => ` ${1_700_000_000 + below(random, 5)}`,
  (random) => ` 17000000${10 + below(random, 90)}000000000`,
  (random) => ` -${below(random, 1e9)}`,
];
const ODD_TIMES = [
  " 9223372036854775807",
  " 9223372036854775808",
  "  1",
  " 1 ",
  " x",
  " 1x",
  " ",
  " 0",
  " -0",
];
const ODD_CHANCE = 0.01;
/** What a slip puts into a line. */
const PIECES = ["\\", '"', " ", ",", "=", "\n", "\r", "\0", "#", "é", "\t", "1", "i", "-", "."];

function pick<T>(random: Random, all: readonly T[]): T {
  return all[below(random, all.length)] as T;
}

interface Shape {
  readonly key: Written;
  readonly fields: readonly { readonly name: string; readonly value: Written }[];
  readonly time: Written;
}

function shape(random: Random): Shape {
  const table = pick(random, ["m", "cpu", "a\\ b", "n\\,x", '"q', "é"]);
  const tags = ["host", "region", "a\\=b", '"'].slice(0, below(random, 5));
  const isWide = random.next() < 0.3;
  const tagValue = (chance: Random) =>
    isWide ? `v${textWith(chance, IN_TAGS)}` : pick(chance, ["a", "b", "c\\ d", "é", "10"]);
  const fieldCount = 1 + below(random, 6);
  return {
    key: (chance) => [table, ...tags.map((tag) => `${tag}=${tagValue(chance)}`)].join(","),
    fields: Array.from({ length: fieldCount }, (_, index) => ({
      name: pick(random, [`f${index}`, `a\\ ${index}`, `long_name_of_field_${index}`, `"${index}`]),
      value: pick(random, VALUES.slice(0, random.next() < 0.7 ? 10 : VALUES.length)),
    })),
    time: pick(random, random.next() < 0.8 ? TIMES.slice(0, 4) : TIMES),
  };
}

function line(random: Random, { fields, key, time }: Shape): string {
  const some = random.next() < 0.1 ? fields.slice(below(random, fields.length)) : fields;
  const written = some.map(({ name, value }) => {
    return `${name}=${random.next() < ODD_CHANCE ? pick(random, ODD_VALUES) : value(random)}`;
  });
  // A name that stands twice.
  if (random.next() < ODD_CHANCE) written.push(pick(random, written));
  return `${key(random)} ${written.join()}${random.next() < ODD_CHANCE ? pick(random, ODD_TIMES) : time(random)}`;
}

/** One character more, fewer or other. */
function slip(random: Random, text: string): string {
  const at = below(random, text.length + 1);
  const rest = text.slice(at + (random.next() < 0.5 ? 1 : 0));
  return text.slice(0, at) + (random.next() < 0.7 ? pick(random, PIECES) : "") + rest;
}

/** `lineCount` lines of a few shapes, mostly good. */
export function lineBody(random: Random, lineCount: number): string {
  const shapes = Array.from({ length: 1 + below(random, 4) }, () => shape(random));
  const slipChance = random.next() < 0.5 ? 0.02 : 0;
  const lines = Array.from({ length: lineCount }, () => {
    const text = line(random, pick(random, shapes));
    if (random.next() < 0.01) return pick(random, ["", "# comment", "  ", `${text}\r`, ` ${text}`]);
    return random.next() < slipChance ? slip(random, text) : text;
  });
  return lines.join("\n") + pick(random, ["", "\n", "\n\n"]);
}
