/** Answers to commands of Flight SQL. */
import { encodeBatches } from "#arrow/batch.ts";
import { arrowFields, encodeSchema } from "#arrow/schema.ts";
import type { ArrowField } from "#arrow/type.ts";
import { DbError } from "#base/errors.ts";
import { cellAt } from "#model/query/result.ts";
import type { QueryRequest } from "#query/query.ts";
import { encodeFlightData, encodeFlightSchema } from "../data.ts";
import type { Call } from "../grpc/call.ts";
import {
  catalogsAnswer,
  keysAnswer,
  schemasAnswer,
  type TableName,
  tableFields,
  tablesAnswer,
  tableTypesAnswer,
} from "./catalog.ts";
import type { Command } from "./command.ts";
import { readHandle } from "./prepared.ts";
import type { SmallAnswer } from "./rows.ts";
import { sqlInfoAnswer } from "./sql-info.ts";
import type { Statements } from "./statements.ts";
import { typeInfoAnswer } from "./type-info.ts";

/** What clients call tables, where they do not say. */
const BASE_TYPE = "BASE TABLE";

export class FlightSql {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** The fields of the answer to `command`. */
  async describe(call: Call, database: string, command: Command): Promise<readonly ArrowField[]> {
    const request = requestOf(call, database, command);
    if (request !== undefined) {
      return arrowFields(await this.#statements.describe(request, call.signal));
    }
    if (command.kind === "tables") return tableFields(command);
    return (await this.#answer(call, database, command)).fields;
  }

  /** Sends the answer to `command`. */
  async send(call: Call, database: string, command: Command): Promise<void> {
    const request = requestOf(call, database, command);
    if (request !== undefined) return this.#statements.send(call, request);
    const { batch, fields } = await this.#answer(call, database, command);
    await call.send(encodeFlightSchema(encodeSchema(fields)));
    for (const message of encodeBatches(fields, batch)) await call.send(encodeFlightData(message));
  }

  async #answer(call: Call, database: string, command: Command): Promise<SmallAnswer> {
    switch (command.kind) {
      case "catalogs":
        return catalogsAnswer();
      case "schemas":
        return schemasAnswer(command);
      case "table_types":
        return tableTypesAnswer(baseType(call));
      case "sql_info":
        return sqlInfoAnswer(command.ids);
      case "type_info":
        return typeInfoAnswer(command.type);
      case "primary_keys":
      case "foreign_keys":
        return keysAnswer(command.kind);
      case "tables":
        return tablesAnswer(command, baseType(call), {
          tables: await this.#tables(call, database),
          describe: (table) => this.#describeTable(call, database, table),
        });
      case "statement":
      case "prepared":
        throw new DbError("internal", "assertion_failed", "statements are answered elsewhere");
    }
  }

  async #tables(call: Call, database: string): Promise<readonly TableName[]> {
    const { batches } = await this.#statements.query(
      { database, text: "SHOW TABLES", parameters: {}, tokens: [] },
      call.signal,
    );
    const tables: TableName[] = [];
    for await (const { columns, rowCount } of batches)
      for (let row = 0; row < rowCount; row += 1) {
        const cells = columns.map((column) => cellAt(column, row));
        const [catalog, schema, table, type] = cells.map((cell) =>
          typeof cell === "string" ? cell : "",
        );
        if (catalog && schema && table && type) tables.push({ catalog, schema, table, type });
      }
    return tables;
  }

  async #describeTable(
    call: Call,
    database: string,
    { catalog, schema, table }: TableName,
  ): Promise<readonly ArrowField[]> {
    const path = [catalog, schema, table].map((name) => `"${name.replaceAll('"', '""')}"`);
    const text = `SELECT * FROM ${path.join(".")}`;
    const request = { database, text, parameters: {}, tokens: [] };
    return arrowFields(await this.#statements.describe(request, call.signal));
  }
}

/** The statement that a command is; undefined for others. */
function requestOf(call: Call, database: string, command: Command): QueryRequest | undefined {
  if (command.kind === "statement") {
    const language =
      call.headers["x-influxdata-query-language"] === "influxql" ? "influxql" : undefined;
    return { language, database, text: command.text, parameters: {}, tokens: [] };
  }
  if (command.kind === "prepared") return { database, ...readHandle(command.handle), tokens: [] };
  return undefined;
}

/** What tables are called, as clients may ask for. */
function baseType(call: Call): string {
  const wanted = call.headers["x-influxdata-base-table-type"];
  return wanted === "TABLE" ? wanted : BASE_TYPE;
}
