/** Schemas as messages, and which of our columns are which of Arrow's. */

import { concatBytes } from "#base/bytes.ts";
import type { Field } from "#model/query/plan.ts";
import type { ColumnKind } from "#model/schema.ts";
import { encodeFlat, type Flat, int8, int16, int64, list, table } from "./flat-writer.ts";
import { type ArrowField, encodeField, encodeMetadata } from "./type.ts";

const VERSION_5 = 4;
const LITTLE_ENDIAN = 0;
/** Numbers of the kinds of messages. */
export const HEADERS = { schema: 1, batch: 3 } as const;

const COLUMN_TYPE = "iox::column::type";
/** What clients of InfluxDB 3 read of a column that comes straight from a table. */
const COLUMN_TYPES: Readonly<Record<ColumnKind, string>> = {
  time: "iox::column_type::timestamp",
  tag: "iox::column_type::tag",
  float: "iox::column_type::field::float",
  integer: "iox::column_type::field::integer",
  uinteger: "iox::column_type::field::uinteger",
  string: "iox::column_type::field::string",
  boolean: "iox::column_type::field::boolean",
};

/** The fields of a result, those that are columns of a table marked as such. */
export function arrowFields(fields: readonly Field[]): readonly ArrowField[] {
  return fields.map(({ column, name, type }) => ({
    name,
    type,
    nullable: column !== "time",
    ...(column && { metadata: new Map([[COLUMN_TYPE, COLUMN_TYPES[column]]]) }),
  }));
}

/** The message of a schema: the FlatBuffer alone, as Flight sends it. */
export function encodeSchema(
  fields: readonly ArrowField[],
  metadata?: ReadonlyMap<string, string>,
): Uint8Array {
  const schema = table([
    int16(LITTLE_ENDIAN),
    list(fields.map(encodeField)),
    metadata && encodeMetadata(metadata),
  ]);
  return encodeMessage(HEADERS.schema, schema, 0);
}

/** A message with `header`, of the kind `number`, whose body takes so many bytes. */
export function encodeMessage(number: number, header: Flat, bodySizeBytes: number): Uint8Array {
  return encodeFlat([int16(VERSION_5), int8(number), header, int64(bodySizeBytes)]);
}

/** A message with the marks that lead it in a file or a stream: those of schemas within messages of Flight need them. */
export function encapsulated(message: Uint8Array): Uint8Array {
  const lead = new DataView(new ArrayBuffer(8));
  lead.setInt32(0, -1, true);
  lead.setInt32(4, message.length, true);
  return concatBytes([new Uint8Array(lead.buffer), message]);
}
