/** The types of SQL as XDBC tells of them: numbers are those of `XdbcDataType` and the like in FlightSql.proto. */
import { type SmallAnswer, type SmallCell, smallAnswer, smallField, TEXTS } from "./rows.ts";

const FIELDS = [
  smallField("type_name", "string"),
  smallField("data_type", "int32"),
  smallField("column_size?", "int32"),
  smallField("literal_prefix?", "string"),
  smallField("literal_suffix?", "string"),
  smallField("create_params?", TEXTS),
  smallField("nullable", "int32"),
  smallField("case_sensitive", "boolean"),
  smallField("searchable", "int32"),
  smallField("unsigned_attribute?", "boolean"),
  smallField("fixed_prec_scale", "boolean"),
  smallField("auto_increment?", "boolean"),
  smallField("local_type_name?", "string"),
  smallField("minimum_scale?", "int32"),
  smallField("maximum_scale?", "int32"),
  smallField("sql_data_type", "int32"),
  smallField("datetime_subcode?", "int32"),
  smallField("num_prec_radix?", "int32"),
  smallField("interval_precision?", "int32"),
];

interface SqlType {
  readonly name: string;
  readonly number: number;
  readonly size: number;
  readonly isQuoted?: boolean;
  readonly isUnsigned?: boolean;
  /** What number it has among all of times, and which it is of these. */
  readonly time?: readonly [number: number, which: number];
}

const NULLABLE = 1;
const SEARCHABLE = 3;
const INT_MAX = 2 ** 31 - 1;

const TYPES: readonly SqlType[] = [
  { name: "BIT", number: -7, size: 1 },
  { name: "BIGINT", number: -5, size: 64, isUnsigned: false },
  { name: "DOUBLE", number: 8, size: 53, isUnsigned: false },
  { name: "INTERVAL", number: 10, size: INT_MAX, isQuoted: true, time: [10, 0] },
  { name: "VARCHAR", number: 12, size: INT_MAX, isQuoted: true },
  { name: "TIMESTAMP", number: 93, size: INT_MAX, isQuoted: true, time: [9, 3] },
];

/** All types, or the one with the number `wanted`. */
export function typeInfoAnswer(wanted: number | undefined): SmallAnswer {
  const types = TYPES.filter(({ number }) => wanted === undefined || number === wanted);
  return smallAnswer(FIELDS, types.map(rowOf));
}

function rowOf({ isQuoted = false, isUnsigned, name, number, size, time }: SqlType): SmallCell[] {
  const quote = isQuoted ? "'" : null;
  const [sqlNumber, which] = time ?? [number, null];
  const texts: SmallCell[] = [name, number, size, quote, quote, number === 12 ? ["length"] : null];
  const use: SmallCell[] = [NULLABLE, number === 12, SEARCHABLE, isUnsigned ?? null, false, null];
  const radix = isUnsigned === undefined ? null : 2;
  return texts.concat(use, [name, null, null, sqlNumber, which, radix, null]);
}
