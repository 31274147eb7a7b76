/** Answers to commands of Flight SQL. */
import type { ArrowBatch } from "#arrow/batch.ts";
import { arrowFields } from "#arrow/schema.ts";
import type { ArrowField } from "#arrow/type.ts";
import { DbError, isKind } from "#base/errors.ts";
import { cellAt } from "#model/query/result.ts";
import type { QueryRequest } from "#query/query.ts";
import type { Call } from "../grpc/call.ts";
import { type StreamOptions, sendRows } from "../stream.ts";
import {
  catalogsAnswer,
  keysAnswer,
  schemasAnswer,
  type TableName,
  type TablesCommand,
  tableBatches,
  tableFields,
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
  readonly #options: StreamOptions;

  constructor(statements: Statements, options: StreamOptions) {
    this.#statements = statements;
    this.#options = options;
  }

  /** The fields of the answer to `command`. */
  async describe(call: Call, database: string, command: Command): Promise<readonly ArrowField[]> {
    const request = requestOf(call, database, command);
    if (request !== undefined) {
      return arrowFields(await this.#statements.describe(request, call.signal));
    }
    if (command.kind === "tables") return tableFields(command);
    return smallAnswerTo(call, command).fields;
  }

  /** Sends the answer to `command`. */
  async send(call: Call, database: string, command: Command): Promise<void> {
    const request = requestOf(call, database, command);
    if (request !== undefined) return this.#statements.send(call, request);
    if (command.kind === "tables") {
      const batches = this.#tableBatches(call, database, command);
      return sendRows(call, this.#options, tableFields(command), batches);
    }
    const { batch, fields } = smallAnswerTo(call, command);
    return sendRows(call, this.#options, fields, oneBatch(batch));
  }

  async *#tableBatches(
    call: Call,
    database: string,
    command: TablesCommand,
  ): AsyncGenerator<ArrowBatch> {
    const tables = await this.#tables(call, database);
    yield* tableBatches(command, baseType(call), {
      tables,
      findFields: (table) => this.#findFields(call, database, table),
    });
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

  /** Undefined where the table has gone. */
  async #findFields(
    call: Call,
    database: string,
    { catalog, schema, table }: TableName,
  ): Promise<readonly ArrowField[] | undefined> {
    const path = [catalog, schema, table].map((name) => `"${name.replaceAll('"', '""')}"`);
    const text = `SELECT * FROM ${path.join(".")}`;
    const request = { database, text, parameters: {}, tokens: [] };
    try {
      return arrowFields(await this.#statements.describe(request, call.signal));
    } catch (error) {
      if (isKind(error, "invalid") && error.code === "table_not_found") return undefined;
      throw error;
    }
  }
}

/** The answer to a command that needs no look at rows or tables. */
function smallAnswerTo(call: Call, command: Command): SmallAnswer {
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
    case "statement":
    case "prepared":
      throw new DbError("internal", "assertion_failed", "statements are answered elsewhere");
  }
}

async function* oneBatch(batch: ArrowBatch): AsyncGenerator<ArrowBatch> {
  yield batch;
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
