/** Functions of the engine that are written in TypeScript: those about texts that it cannot read or write itself. */
import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBScalarFunction,
  type DuckDBVector,
} from "@duckdb/node-api";
import { fail, type OwnFunction } from "./own-function.ts";
import { TEXT_FUNCTIONS } from "./text.ts";
import { TIME_FUNCTIONS } from "./time.ts";

/** How long functions may work for one chunk: nothing else happens in the process meanwhile, cancels included. */
const CHUNK_TIME_NS_MAX = 2_000_000_000n;

/** Makes them known to the instance of `connection`. */
export function registerFunctions(connection: DuckDBConnection): void {
  for (const one of [...TIME_FUNCTIONS, ...TEXT_FUNCTIONS]) {
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
  const start = process.hrtime.bigint();
  for (let row = 0; row < input.rowCount; row += 1) {
    if (process.hrtime.bigint() - start > CHUNK_TIME_NS_MAX) fail("function_time");
    const values = columns.map((column) => column.getItem(row));
    output.setItem(row, values.includes(null) ? null : work(values));
  }
  output.flush();
}
