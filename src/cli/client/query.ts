import { fromUtf8, utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { CommandInput, CommandSpec } from "../command.ts";
import { send, serverOf } from "./connection.ts";
import { readInput } from "./input.ts";
import { DATABASE_OPTION, RESULT_OPTIONS, SERVER_OPTIONS } from "./options.ts";
import { formatOf, writeResult } from "./result.ts";

const LANGUAGES = ["sql", "influxql"] as const;

/** What is asked of a server. */
interface Question {
  readonly database: string;
  readonly text: string;
  readonly format: string;
  /** SQL unless given. */
  readonly language?: (typeof LANGUAGES)[number];
}

export const QUERY: CommandSpec = {
  path: "query",
  alias: "q",
  about: "Ask a question of a database",
  operands: "[QUERY...]",
  options: [
    ...SERVER_OPTIONS,
    DATABASE_OPTION,
    {
      name: "language",
      short: "l",
      value: "LANGUAGE",
      about: "The language of the query: sql, influxql",
      default: "sql",
    },
    ...RESULT_OPTIONS,
    { name: "file", short: "f", value: "FILE", about: "Read the query from this file" },
  ],
  run: query,
};

async function query(input: CommandInput): Promise<number> {
  const { settings } = input;
  const database = settings.require("database");
  const format = formatOf(input);
  const language = settings.choose("language", LANGUAGES);
  const server = await serverOf(input);
  const bytes = await readInput(input, {
    several:
      "ensure that a single query string is provided as the final argument, enclosed in quotes",
    empty: "no query provided",
    missing: "no query provided",
  });
  await runQuery(input, server, { database, text: decode(bytes), format, language });
  return 0;
}

/** Asks `server` and writes the answer where the options say. */
export async function runQuery(
  input: CommandInput,
  server: Awaited<ReturnType<typeof serverOf>>,
  { database, text, format, language = "sql" }: Question,
): Promise<void> {
  const answer = await send(server, {
    method: "POST",
    path: `/api/v3/query_${language}`,
    contentType: "application/json",
    body: utf8(JSON.stringify({ db: database, q: text, format })),
  });
  await writeResult(input, answer);
}

function decode(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (error) {
    throw new DbError("invalid", "query_not_utf8", "the query is not UTF-8", { cause: error });
  }
}
