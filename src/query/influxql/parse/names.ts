import type { MeasurementSource, MeasurementTarget, NameMatch } from "../ast.ts";
import { quotedPath } from "../print/names.ts";
import type { Cursor } from "./tokens/cursor.ts";

/** `a`, `a.b`, `a..c`; up to three names, and a point behind them where a regular expression or `:MEASUREMENT` follows. */
export function parseSegments(cursor: Cursor): readonly string[] {
  const names = [cursor.expectName()];
  while (cursor.scan().kind === ".") {
    const next = cursor.peek();
    if (next === "/" || next === ":") return checkedSegments(cursor, names);
    cursor.countPart();
    names.push(next === "." ? "" : cursor.expectName());
  }
  cursor.back();
  return checkedSegments(cursor, names);
}

function checkedSegments(cursor: Cursor, names: readonly string[]): readonly string[] {
  if (names.length <= 3) return names;
  throw cursor.errorAt(`too many segments in ${quotedPath(names)}`, { at: 0 });
}

/** A source that is no subquery. */
export function parseMeasurement(cursor: Cursor): MeasurementSource {
  const pattern = cursor.findRegex();
  return pattern === undefined
    ? parseNamedMeasurement(cursor)
    : measurementSource([], { kind: "regex", pattern });
}

/** A source that begins with a name. */
export function parseNamedMeasurement(cursor: Cursor): MeasurementSource {
  const names = parseSegments(cursor);
  const regex = names.length < 3 ? cursor.findRegex() : undefined;
  if (regex !== undefined) return measurementSource(names, { kind: "regex", pattern: regex });
  return measurementSource(names.slice(0, -1), { kind: "name", name: names.at(-1) ?? "" });
}

/** `name`, in what `path` ends with: a retention policy, and before it a database. */
export function measurementSource(path: readonly string[], name: NameMatch): MeasurementSource {
  return { kind: "measurement", database: path.at(-2), retentionPolicy: path.at(-1), name };
}

export function parseMeasurements(cursor: Cursor): readonly MeasurementSource[] {
  const sources: MeasurementSource[] = [];
  do {
    cursor.countPart();
    sources.push(parseMeasurement(cursor));
  } while (cursor.accept(","));
  return sources;
}

/** What follows INTO. */
export function parseTarget(cursor: Cursor): MeasurementTarget {
  const names = parseSegments(cursor);
  if (names.length < 3 && cursor.peek() === ":") {
    cursor.expect(":", "MEASUREMENT");
    return { database: names.at(-2), retentionPolicy: names.at(-1), measurement: undefined };
  }
  return { database: names.at(-3), retentionPolicy: names.at(-2), measurement: names.at(-1) };
}
