import { compareText } from "#base/bytes.ts";
import type { TableSchema } from "#model/schema.ts";
import { TIME_MIN } from "#model/time-range.ts";
import type { Expression, Fill, MeasurementSource, SelectField } from "../ast.ts";
import { keysOfTop } from "../check/expressions.ts";
import type { CheckedSelect, CheckedSource } from "../check/select.ts";
import type { Output, PointType, ResolvedSelect, ResolvedSource } from "../resolved.ts";
import { bitsOfFloats } from "./bits.ts";
import { fieldName, namesOfTable } from "./names.ts";
import { lenientType, type Outputs, resolveOutputs } from "./outputs.ts";
import { Scope, type ScopedSource, tableTypes } from "./scope.ts";
import { stronger, type Type, typeOfCast, withTypes } from "./types.ts";
import { expandFields, expandTags } from "./wildcards.ts";

/** The tables that a source names. */
export interface NamedTables {
  /** The database that the retention policy is. */
  readonly database: string;
  readonly tables: readonly TableSchema[];
}

export interface ResolveContext {
  /** Whether InfluxDB 3 decides where it differs from 1.x. */
  readonly native: boolean;
  /** Rejects what names no database or retention policy. */
  tables(source: MeasurementSource): NamedTables;
}

/** What a subquery takes over from the statement around it. */
interface Surroundings {
  readonly dimensions: readonly string[];
  readonly seriesLimit: number;
  readonly seriesOffset: number;
  readonly native: boolean;
}

/** Throws what `context` throws, and `invalid` / `influxql_refused` for types that do not go together. */
export function resolveSelect(select: CheckedSelect, context: ResolveContext): ResolvedSelect {
  const expanded = expand(select, context);
  return resolve(
    expanded,
    { dimensions: [], seriesLimit: 0, seriesOffset: 0, native: context.native },
    true,
  );
}

/** A statement whose `*` and regular expressions are names, and whose names are cast to their types. */
interface Expanded {
  readonly select: CheckedSelect;
  readonly sources: readonly ExpandedSource[];
  readonly fields: readonly SelectField[];
  /** Its own, by name. */
  readonly dimensions: readonly string[];
}

type ExpandedSource =
  | Extract<ResolvedSource, { readonly kind: "table" }>
  | {
      readonly kind: "subquery";
      readonly inner: Expanded;
      readonly types: ReadonlyMap<string, PointType>;
    };

/** From the innermost statement outwards, for what `*` means depends on the sources. */
function expand(select: CheckedSelect, context: ResolveContext): Expanded {
  const scoped = select.from.flatMap((source) => scopedSources(source, select, context));
  const scope = new Scope(scoped);
  const fields = expandFields(select.fields, select.groupBy, scope).map((field) => ({
    ...field,
    expression: withTypes(field.expression, scope.typeOf),
  }));
  const dimensions = expandTags(select.groupBy, scope);
  return { select, sources: scoped.map(({ source }) => source), fields, dimensions };
}

interface ScopedExpanded extends ScopedSource {
  readonly source: ExpandedSource;
}

function scopedSources(
  source: CheckedSource,
  select: CheckedSelect,
  context: ResolveContext,
): readonly ScopedExpanded[] {
  if (source.kind === "subquery") return [scopedSubquery(expand(source.select, context))];
  const { database, tables } = context.tables(source);
  const { native } = context;
  return tables
    .toSorted((left, right) => compareText(left.name, right.name))
    .map((table) => scopedTable(table, database, { condition: select.condition, native }));
}

function scopedTable(
  table: TableSchema,
  database: string,
  { condition, native }: { readonly condition: Expression | undefined; readonly native: boolean },
): ScopedExpanded {
  const types = tableTypes(table);
  const rowsOf = native ? condition && bitsOfFloats(condition, types) : condition;
  const columns = [...types];
  return {
    source: { kind: "table", name: table.name, table, database, condition: rowsOf },
    types,
    fields: new Map(columns.filter(([, type]) => type !== "tag")),
    tags: new Set(columns.filter(([, type]) => type === "tag").map(([name]) => name)),
  };
}

function scopedSubquery(inner: Expanded): ScopedExpanded {
  const fields = new Map<string, Type>();
  const types = new Map<string, PointType>();
  for (const field of inner.fields) {
    const name = fieldName(field);
    const type = lenientType(field.expression);
    fields.set(name, stronger(fields.get(name), type));
    see(types, name, type);
    for (const key of keysOfTop(field.expression)) see(types, key.name, typeOfCast(key.cast));
  }
  for (const name of inner.dimensions) see(types, name, "tag");
  return {
    source: { kind: "subquery", inner, types },
    types,
    fields,
    tags: new Set(inner.dimensions),
  };
}

/** Of several of one name the first is seen. */
function see(types: Map<string, PointType>, name: string, type: Type): void {
  if (type !== undefined && !types.has(name)) types.set(name, type);
}

function resolve(expanded: Expanded, around: Surroundings, top: boolean): ResolvedSelect {
  const { fields, select } = expanded;
  const { condition, hasCalls, statement, time } = select;
  const dimensions = [...new Set([...expanded.dimensions, ...around.dimensions])];
  dimensions.sort(compareText);
  const { native } = around;
  const seriesLimit = statement.seriesLimit + around.seriesLimit;
  const seriesOffset = statement.seriesOffset + around.seriesOffset;
  const { inputs, outputs } = resolveOutputs(fields, {
    hasCalls,
    tagsAreValues: expanded.sources.some(({ kind }) => kind === "subquery"),
    hasSources: expanded.sources.length > 0,
    strict: top,
    everyNs: select.window?.everyNs,
  });
  const empty = inputs.length === 0 || time.start > time.end;
  return {
    sources: empty
      ? []
      : expanded.sources.flatMap((source): ResolvedSource[] => {
          if (source.kind === "table") return [source];
          const inner = resolve(
            source.inner,
            { dimensions, seriesLimit, seriesOffset, native },
            false,
          );
          const { types } = source;
          return inner.sources.length === 0
            ? []
            : [{ kind: "subquery", select: inner, condition, types }];
        }),
    time,
    ownTime: select.ownTime,
    startsAt: time.start > TIME_MIN,
    dimensions,
    window: hasCalls ? select.window : undefined,
    fill: fillOf(expanded.select, { native, top }),
    fillsUnknown: !native,
    raw: !hasCalls,
    inputs,
    outputs:
      native && top
        ? inTable({ inputs, outputs }, { dimensions, timeName: select.timeName })
        : outputs,
    timeName: select.timeName,
    descending: select.descending,
    seriesDescending: select.descending && !native,
    limit: statement.limit,
    offset: statement.offset,
    seriesLimit,
    seriesOffset,
    zone: statement.zone,
  };
}

/** fill() of null in a subquery adds no rows; InfluxDB 3 fills nothing but buckets. */
function fillOf(
  { hasCalls, statement }: CheckedSelect,
  { native, top }: { readonly native: boolean; readonly top: boolean },
): Fill {
  const isLeft = (!top && statement.fill.kind === "null") || (native && !hasCalls);
  return isLeft ? { kind: "none" } : statement.fill;
}

function inTable(columns: Outputs, beside: Parameters<typeof namesOfTable>[1]): readonly Output[] {
  const names = namesOfTable(columns, beside);
  return columns.outputs.map((output, index) => ({ ...output, name: names[index] ?? output.name }));
}
