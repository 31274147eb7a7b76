/** What the sources of a SELECT have, by name. */
import { compareText } from "#base/bytes.ts";
import { type TableSchema, TIME_COLUMN_NAME } from "#model/schema.ts";
import type { PointType } from "../resolved.ts";
import { compareTypes, stronger, type Type } from "./types.ts";

/** A source, and what `*` means of it. */
export interface ScopedSource {
  /** What is to be seen of it. */
  readonly types: ReadonlyMap<string, Type>;
  /** What its fields are called; a subquery may have some of which nothing is known. */
  readonly fields: ReadonlyMap<string, Type>;
  readonly tags: ReadonlySet<string>;
}

export interface ScopeColumn {
  readonly name: string;
  readonly type: Type;
}

/** All sources of one SELECT. */
export class Scope {
  readonly sources: readonly ScopedSource[];

  constructor(sources: readonly ScopedSource[]) {
    this.sources = sources;
  }

  /** The type of `name` over all sources. */
  readonly typeOf = (name: string): Type => {
    let type: Type;
    for (const { types } of this.sources) type = stronger(type, types.get(name));
    return type;
  };

  /** All tags by name, those that `*` means in GROUP BY. */
  get tags(): readonly string[] {
    return [...new Set(this.sources.flatMap(({ tags }) => [...tags]))].toSorted(compareText);
  }

  /** What `*` means in SELECT: fields and `tags` by name; nothing where there are no fields. */
  columns(tags: readonly string[]): readonly ScopeColumn[] {
    const fields = new Map<string, Type>();
    for (const { fields: some } of this.sources)
      for (const [name, type] of some) fields.set(name, stronger(fields.get(name), type));
    if (fields.size === 0) return [];
    return [
      ...[...fields].map(([name, type]) => ({ name, type })),
      ...tags.map((name) => ({ name, type: "tag" }) as const),
    ].toSorted(
      (left, right) => compareText(left.name, right.name) || compareTypes(left.type, right.type),
    );
  }
}

const TYPES: Readonly<Record<string, PointType>> = {
  float: "float",
  integer: "integer",
  uinteger: "unsigned",
  string: "string",
  boolean: "boolean",
  tag: "tag",
};

/** The types of the columns of `table`, without time. */
export function tableTypes(table: TableSchema): ReadonlyMap<string, PointType> {
  const types = new Map<string, PointType>();
  for (const { kind, name } of table.columns) {
    const type = TYPES[kind];
    if (name !== TIME_COLUMN_NAME && type !== undefined) types.set(name, type);
  }
  return types;
}
