/** Patterns of times as chrono's `strftime` has them: what `to_char`, and the formats of `to_timestamp` and `to_date`, are written in. */

export type PatternField =
  | "year"
  | "century"
  | "year_of_century"
  | "quarter"
  | "month"
  | "month_short"
  | "month_name"
  | "day"
  | "weekday_short"
  | "weekday_name"
  | "weekday_from_sunday"
  | "weekday_from_monday"
  | "week_from_sunday"
  | "week_from_monday"
  | "iso_year"
  | "iso_year_of_century"
  | "iso_week"
  | "day_of_year"
  | "hour"
  | "hour_of_half"
  | "half_lower"
  | "half"
  | "minute"
  | "second"
  | "nanosecond"
  | "fraction"
  | "point_fraction"
  | "zone_name"
  | "offset"
  | "epoch_second";

export type Padding = "none" | " " | "0";

export type PatternItem =
  | { readonly kind: "text"; readonly text: string }
  /** White space; as it is when written, any amount of it when read. */
  | { readonly kind: "space"; readonly text: string }
  /** Where a date and a time of day meet in RFC 3339. */
  | { readonly kind: "date_separator" }
  | PatternPart;

export interface PatternPart {
  readonly kind: "part";
  readonly field: PatternField;
  /** How numbers are filled up to `width`. */
  readonly padding: Padding;
  /** Digits of a number; of a fraction, 0 for as many as needed. */
  readonly width: number;
  /** Of an offset: what stands between hours and minutes, and how far it goes. */
  readonly colon?: string;
  readonly offset?: "hours" | "minutes" | "seconds" | "permissive";
}

/** Longer ones are refused: nobody writes them. */
const LENGTH_MAX = 1024;
const COMPOSITES: ReadonlyMap<string, string> = new Map([
  ["D", "%m/%d/%y"],
  ["x", "%m/%d/%y"],
  ["F", "%Y-%m-%d"],
  ["v", "%e-%b-%Y"],
  ["R", "%H:%M"],
  ["T", "%H:%M:%S"],
  ["X", "%H:%M:%S"],
  ["r", "%I:%M:%S %p"],
  ["c", "%a %b %e %H:%M:%S %Y"],
  ["t", "\t"],
  ["n", "\n"],
]);
const PARTS: ReadonlyMap<string, PatternPart> = new Map([
  part("Y", "year", 4),
  part("C", "century", 2),
  part("y", "year_of_century", 2),
  part("q", "quarter", 1),
  part("m", "month", 2),
  part("b", "month_short"),
  part("h", "month_short"),
  part("B", "month_name"),
  part("d", "day", 2),
  part("e", "day", 2, " "),
  part("a", "weekday_short"),
  part("A", "weekday_name"),
  part("w", "weekday_from_sunday", 1),
  part("u", "weekday_from_monday", 1),
  part("U", "week_from_sunday", 2),
  part("W", "week_from_monday", 2),
  part("G", "iso_year", 4),
  part("g", "iso_year_of_century", 2),
  part("V", "iso_week", 2),
  part("j", "day_of_year", 3),
  part("H", "hour", 2),
  part("k", "hour", 2, " "),
  part("I", "hour_of_half", 2),
  part("l", "hour_of_half", 2, " "),
  part("P", "half_lower"),
  part("p", "half"),
  part("M", "minute", 2),
  part("S", "second", 2),
  part("f", "nanosecond", 9),
  part(".f", "point_fraction", 0),
  part(".3f", "point_fraction", 3),
  part(".6f", "point_fraction", 6),
  part(".9f", "point_fraction", 9),
  part("3f", "fraction", 3),
  part("6f", "fraction", 6),
  part("9f", "fraction", 9),
  part("Z", "zone_name"),
  part("s", "epoch_second", 1),
  ["z", offsetPart("", "minutes")],
  [":z", offsetPart(":", "minutes")],
  ["::z", offsetPart(":", "seconds")],
  [":::z", offsetPart(":", "hours")],
  ["#z", offsetPart("", "permissive")],
]);
const SPECIFIER = /^(?:[.]?[369]f|\.f|:{1,3}z|#z|[A-Za-z+%])/;
const PADDINGS: ReadonlyMap<string, Padding> = new Map([
  ["-", "none"],
  ["_", " "],
  ["0", "0"],
]);
const SPACES = /^\s+/u;
const TEXT = /^[^%\s]+/u;

/** The items of `pattern`; undefined where it has a specifier that is none, or is too long. */
export function parsePattern(pattern: string): readonly PatternItem[] | undefined {
  if (pattern.length > LENGTH_MAX) return undefined;
  const items: PatternItem[] = [];
  let rest = pattern;
  while (rest !== "") {
    const taken = takePlain(rest) ?? takeSpecifier(rest);
    if (taken === undefined) return undefined;
    items.push(...taken.items);
    rest = rest.slice(taken.length);
  }
  return items;
}

interface Taken {
  readonly items: readonly PatternItem[];
  /** How much of the pattern they are. */
  readonly length: number;
}

function takePlain(rest: string): Taken | undefined {
  const space = SPACES.exec(rest)?.[0];
  if (space !== undefined) return { items: [{ kind: "space", text: space }], length: space.length };
  const text = TEXT.exec(rest)?.[0];
  return text === undefined ? undefined : { items: [{ kind: "text", text }], length: text.length };
}

function takeSpecifier(rest: string): Taken | undefined {
  const padding = PADDINGS.get(rest[1] ?? "");
  const start = padding === undefined ? 1 : 2;
  const specifier = SPECIFIER.exec(rest.slice(start))?.[0];
  if (specifier === undefined) return undefined;
  const items = itemsOf(specifier, padding);
  return items === undefined ? undefined : { items, length: start + specifier.length };
}

function itemsOf(
  specifier: string,
  padding: Padding | undefined,
): readonly PatternItem[] | undefined {
  const known = PARTS.get(specifier);
  if (known !== undefined) return [padding === undefined ? known : { ...known, padding }];
  if (padding !== undefined) return undefined;
  if (specifier === "%") return [{ kind: "text", text: "%" }];
  if (specifier === "+") return RFC_3339;
  const composite = COMPOSITES.get(specifier);
  return composite === undefined ? undefined : parsePattern(composite);
}

const RFC_3339: readonly PatternItem[] = [
  ...(parsePattern("%Y-%m-%d") ?? []),
  { kind: "date_separator" },
  ...(parsePattern("%H:%M:%S%.f") ?? []),
  { ...offsetPart(":", "permissive") },
];

function part(
  specifier: string,
  field: PatternField,
  width = 0,
  padding: Padding = "0",
): [string, PatternPart] {
  return [specifier, { kind: "part", field, width, padding }];
}

function offsetPart(colon: string, offset: NonNullable<PatternPart["offset"]>): PatternPart {
  return { kind: "part", field: "offset", width: 0, padding: "0", colon, offset };
}
