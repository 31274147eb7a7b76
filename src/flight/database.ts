import type { IncomingHttpHeaders } from "node:http2";
import { DbError } from "#base/errors.ts";

const HEADERS = ["database", "bucket", "bucket-name", "iox-namespace-name"];

/** The database that the headers of a call name. Throws `invalid` / `flight_database`. */
export function databaseOf(headers: IncomingHttpHeaders): string {
  const names = new Set(
    HEADERS.flatMap((header) => headers[header] ?? [])
      .flatMap((value) => value.split(","))
      .map((name) => name.trim()),
  );
  const [name, other] = names;
  if (other !== undefined) throw wrong(`the headers name several databases: '${name}', '${other}'`);
  if (!name) throw wrong("no 'database' header in request");
  return name;
}

function wrong(message: string): DbError {
  return new DbError("invalid", "flight_database", message);
}
