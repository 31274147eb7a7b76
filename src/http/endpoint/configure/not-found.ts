import { DbError } from "#base/errors.ts";

/** Rejects, where the database or table that `work` is about is not there, with the text that clients of InfluxDB 3 know for it. */
export async function requireFound(
  { database, table = "" }: { readonly database: string; readonly table?: string },
  work: Promise<void>,
): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof DbError)) throw error;
    const options = { cause: error, detail: error.detail };
    if (error.code === "database_not_found")
      throw new DbError("not_found", "database_not_found", missing(database), options);
    if (error.code === "table_missing")
      throw new DbError("not_found", "table_missing", missing(table), options);
    throw error;
  }
}

function missing(name: string): string {
  return `the requested resource was not found: ${name}`;
}
