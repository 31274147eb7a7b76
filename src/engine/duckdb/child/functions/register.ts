/** Functions of the engine that are written in TypeScript: those about texts that it cannot read or write itself. */
import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBScalarFunction,
  type DuckDBType,
  type DuckDBValue,
  type DuckDBVector,
} from "@duckdb/node-api";
import { TIME_FUNCTIONS } from "./time.ts";

/**
 * A function called for each row in which no argument is NULL. It runs on the one thread that the process has for JavaScript, at about
 * two million rows a second, so it is for what the engine has no words for. What it throws is `Error(OWN_ERROR + code)`.
 */
export interface OwnFunction {
  readonly name: string;
  readonly parameters: readonly DuckDBType[];
  readonly result: DuckDBType;
  readonly work: (values: readonly DuckDBValue[]) => DuckDBValue;
}

/** Makes them known to the instance of `connection`. */
export function registerFunctions(connection: DuckDBConnection): void {
  for (const one of TIME_FUNCTIONS) {
    connection.registerScalarFunction(
      DuckDBScalarFunction.create({
        name: one.name,
        parameterTypes: one.parameters,
        returnType: one.result,
        mainFunction: (_info, input, output) => compute(one, input, output),
      }),
    );
  }
}

function compute({ parameters, work }: OwnFunction, input: DuckDBDataChunk, output: DuckDBVector) {
  const columns = parameters.map((_, index) => input.getColumnVector(index));
  for (let row = 0; row < input.rowCount; row += 1) {
    const values = columns.map((column) => column.getItem(row));
    output.setItem(row, values.includes(null) ? null : work(values));
  }
  output.flush();
}
