/** Commands of Flight SQL (FlightSql.proto of Apache Arrow), as they stand in descriptors and tickets. */
import { DbError } from "#base/errors.ts";
import { type Message, readAny } from "../protobuf.ts";

const PREFIX = "arrow.flight.protocol.sql.";

/** Names with `%` and `_`; undefined fits all. */
type Pattern = string | undefined;

export type Command =
  | { readonly kind: "statement"; readonly text: string }
  | { readonly kind: "prepared"; readonly handle: Uint8Array }
  | { readonly kind: "catalogs" | "table_types" }
  | { readonly kind: "schemas"; readonly catalog: string | undefined; readonly schema: Pattern }
  | {
      readonly kind: "tables";
      readonly catalog: string | undefined;
      readonly schema: Pattern;
      readonly table: Pattern;
      /** All where it is empty. */
      readonly types: readonly string[];
      readonly withSchema: boolean;
    }
  /** All where `ids` is empty. */
  | { readonly kind: "sql_info"; readonly ids: readonly number[] }
  | { readonly kind: "type_info"; readonly type: number | undefined }
  | { readonly kind: "primary_keys" | "foreign_keys" };

const READERS: Readonly<Record<string, (message: Message) => Command>> = {
  CommandStatementQuery: (message) => ({ kind: "statement", text: message.text(1) }),
  CommandPreparedStatementQuery: (message) => ({ kind: "prepared", handle: message.bytes(1) }),
  CommandGetCatalogs: () => ({ kind: "catalogs" }),
  CommandGetDbSchemas: (message) => ({
    kind: "schemas",
    catalog: message.optionalText(1),
    schema: message.optionalText(2),
  }),
  CommandGetTables: (message) => ({
    kind: "tables",
    catalog: message.optionalText(1),
    schema: message.optionalText(2),
    table: message.optionalText(3),
    types: message.texts(4),
    withSchema: message.number(5) !== 0n,
  }),
  CommandGetTableTypes: () => ({ kind: "table_types" }),
  CommandGetSqlInfo: (message) => ({ kind: "sql_info", ids: message.numbers(1).map(Number) }),
  CommandGetXdbcTypeInfo: (message) => ({
    kind: "type_info",
    type: message.has(1) ? Number(BigInt.asIntN(32, message.number(1))) : undefined,
  }),
  CommandGetPrimaryKeys: () => ({ kind: "primary_keys" }),
  CommandGetExportedKeys: () => ({ kind: "foreign_keys" }),
  CommandGetImportedKeys: () => ({ kind: "foreign_keys" }),
  CommandGetCrossReference: () => ({ kind: "foreign_keys" }),
};

/** Reads an `Any` that holds a command. Throws `unsupported` / `flight_command`, `invalid` / `protobuf`. */
export function readCommand(bytes: Uint8Array): Command {
  const { message, type } = readAny(bytes);
  const name = type.startsWith(PREFIX) ? type.slice(PREFIX.length) : "";
  const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
  if (read !== undefined) return read(message);
  throw new DbError(
    "unsupported",
    "flight_command",
    `${type.slice(0, 200)} is no command that is answered here: Flight reads, by statements and what Flight SQL asks of a database`,
  );
}
