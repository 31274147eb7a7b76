/** Types of ours as Arrow's format has them (Schema.fbs of Apache Arrow, metadata version 5). */
import type { MapType, Member, PlainType, TimeUnit, ValueType } from "#model/query/value-type.ts";
import { type Flat, int8, int16, int32, list, table, text } from "./flat-writer.ts";

/** Numbers of Arrow's types, as the union `Type` has them. */
export const ARROW_TYPES = {
  null: 1,
  int: 2,
  float: 3,
  binary: 4,
  utf8: 5,
  bool: 6,
  decimal: 7,
  date: 8,
  time: 9,
  timestamp: 10,
  interval: 11,
  list: 12,
  struct: 13,
  union: 14,
  map: 17,
  duration: 18,
  largeBinary: 19,
  largeUtf8: 20,
} as const;

const UNITS: Readonly<Record<TimeUnit, number>> = {
  second: 0,
  millisecond: 1,
  microsecond: 2,
  nanosecond: 3,
};

/** Numbers of the ways in which a union and an interval are laid out. */
const DENSE = 1;
const MONTH_DAY_NANO = 2;

/** One column of an Arrow schema. */
export interface ArrowField {
  readonly name: string;
  readonly type: ArrowType;
  readonly nullable: boolean;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** A type of ours, or the one of Arrow's whose values are of different types, each with its number. */
export type ArrowType = ValueType | DenseUnion;

export interface DenseUnion {
  readonly kind: "union";
  readonly members: readonly Member[];
}

/** The table `Field`. */
export function encodeField({ metadata, name, nullable, type }: ArrowField): Flat {
  return fieldTable({ name, nullable, ...arrowType(type) }, metadata);
}

/** The vector of tables `KeyValue`. */
export function encodeMetadata(metadata: ReadonlyMap<string, string>): Flat {
  return list([...metadata].map(([key, value]) => table([text(key), text(value)])));
}

/** A type by its number in the union `Type`, the fields of its table, and the fields below it. */
interface Described {
  readonly number: number;
  readonly parts: readonly (Flat | undefined)[];
  readonly children?: readonly Flat[];
}

function fieldTable(
  field: Described & { readonly name: string; readonly nullable: boolean },
  metadata?: ReadonlyMap<string, string>,
): Flat {
  return table([
    text(field.name),
    int8(field.nullable ? 1 : 0),
    int8(field.number),
    table(field.parts),
    undefined,
    list(field.children ?? []),
    metadata && encodeMetadata(metadata),
  ]);
}

function arrowType(type: ArrowType): Described {
  if (typeof type === "string") return plainType(type);
  switch (type.kind) {
    case "timestamp": {
      const zone = type.zone === undefined ? undefined : text(type.zone);
      return { number: ARROW_TYPES.timestamp, parts: [int16(UNITS[type.unit]), zone] };
    }
    case "decimal": {
      const { precision, scale } = type;
      return { number: ARROW_TYPES.decimal, parts: [int32(precision), int32(scale), int32(128)] };
    }
    case "list":
      return {
        number: ARROW_TYPES.list,
        parts: [],
        children: fieldsOf([named("item", type.item)]),
      };
    case "struct":
      return { number: ARROW_TYPES.struct, parts: [], children: fieldsOf(type.members) };
    case "map":
      return mapType(type);
    case "union": {
      const values = type.members.map((_, index) => index);
      const parts = [int16(DENSE), { kind: "int32s", values } as const];
      return { number: ARROW_TYPES.union, parts, children: fieldsOf(type.members) };
    }
  }
}

function named(name: string, type: ValueType): Member {
  return { name, type };
}

function fieldsOf(members: readonly Member[]): readonly Flat[] {
  return members.map(({ name, type }) => encodeField({ name, type, nullable: true }));
}

/** A list of entries, which are never NULL, nor are their keys. */
function mapType({ key, value }: MapType): Described {
  const children = [
    encodeField({ name: "key", type: key, nullable: false }),
    encodeField({ name: "value", type: value, nullable: true }),
  ];
  const entries = { number: ARROW_TYPES.struct, parts: [], children };
  const parts = [int8(0)];
  const field = fieldTable({ name: "entries", nullable: false, ...entries });
  return { number: ARROW_TYPES.map, parts, children: [field] };
}

function plainType(type: PlainType): Described {
  switch (type) {
    case "null":
      return { number: ARROW_TYPES.null, parts: [] };
    case "boolean":
      return { number: ARROW_TYPES.bool, parts: [] };
    case "string":
      return { number: ARROW_TYPES.utf8, parts: [] };
    case "binary":
      return { number: ARROW_TYPES.binary, parts: [] };
    case "float32":
      return { number: ARROW_TYPES.float, parts: [int16(1)] };
    case "float64":
      return { number: ARROW_TYPES.float, parts: [int16(2)] };
    case "timestamp":
      return { number: ARROW_TYPES.timestamp, parts: [int16(UNITS.nanosecond)] };
    case "date":
      return { number: ARROW_TYPES.date, parts: [int16(0)] };
    case "time":
      return { number: ARROW_TYPES.time, parts: [int16(UNITS.nanosecond), int32(64)] };
    case "duration":
      return { number: ARROW_TYPES.duration, parts: [int16(UNITS.nanosecond)] };
    case "interval":
      return { number: ARROW_TYPES.interval, parts: [int16(MONTH_DAY_NANO)] };
    default: {
      const signed = int8(type.startsWith("u") ? 0 : 1);
      const bits = int32(Number(type.replace(/\D+/, "")));
      return { number: ARROW_TYPES.int, parts: [bits, signed] };
    }
  }
}
