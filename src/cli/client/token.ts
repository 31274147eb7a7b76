import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { checkTokenName, OPERATOR_NAME, TOKEN_SECRET_SIZE, tokenText } from "#access/token-text.ts";
import { utf8 } from "#base/bytes.ts";
import { DbError, describeError } from "#base/errors.ts";
import type { CommandInput, CommandSpec } from "../command.ts";
import type { Settings } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { parseDuration } from "../values/duration.ts";
import { usageError } from "../values/usage.ts";
import { confirm, readLine } from "./confirm.ts";
import { sendForText, serverOf, withHint } from "./connection.ts";
import { SERVER_OPTIONS } from "./options.ts";

const PATH = "/api/v3/configure/token";
/** Of the JSON that has it; a token has no character that JSON would change. */
const TOKEN_FIELD = /"token":\s*"(apiv3_[A-Za-z0-9_-]+)"/;
const TAKEN = /already exists/;
const OPERATOR_HINT =
  "a cluster makes its operator's token once; with it as --token make another one (--name NAME) or replace it (--regenerate), and where it is lost see --admin-token-recovery-http-bind of 'serve'";
const UNDERLINED = "\x1b[4m";
const PLAIN = "\x1b[0m";

export const CREATE_TOKEN: CommandSpec = {
  path: "create token",
  about: "Make a token",
  notes: `The first token of a cluster, the operator's, needs none. It is made once, is
never deleted, and is replaced by --regenerate with itself as --token.`,
  options: [
    ...SERVER_OPTIONS,
    { name: "admin", about: "One that may do everything" },
    { name: "name", value: "NAME", about: "What a token beside the operator's is called" },
    {
      name: "expiry",
      value: "DURATION",
      about: "How long it is good for, like 90d or 1y [default: for ever]",
    },
    { name: "regenerate", about: "Replace the operator's token" },
    {
      name: "format",
      value: "FORMAT",
      about: "How it is shown: text or json",
      default: "text",
    },
    { name: "offline", about: "Write it to a file for 'serve --admin-token-file', ask no server" },
    { name: "output-file", value: "FILE", about: "The file that --offline writes" },
  ],
  run: createToken,
};

export const DELETE_TOKEN: CommandSpec = {
  path: "delete token",
  about: "Delete a token",
  options: [
    ...SERVER_OPTIONS,
    { name: "token-name", value: "NAME", about: "What it is called" },
    { name: "yes", short: "y", about: "Do not ask" },
  ],
  run: deleteToken,
};

async function createToken(input: CommandInput): Promise<number> {
  const { settings, terminal } = input;
  const format = settings.choose("format", ["text", "json"]);
  if (!settings.isOn("admin")) {
    throw usageError("the option --admin is required: tokens that may do less are not there yet");
  }
  const expiryMs = settings.parseIfGiven("expiry", parseExpiry);
  const name = settings.find("name");
  if (settings.isOn("offline")) return writeTokenFile(settings, terminal, { name, expiryMs });
  if (settings.find("output-file") !== undefined) {
    throw usageError("--output-file goes with --offline");
  }
  if (expiryMs !== undefined && name === undefined) {
    throw usageError("--expiry goes with --name: the operator's token does not expire");
  }
  showToken(await askForToken(input, { name, expiryMs }), format, terminal);
  return 0;
}

interface Wish {
  readonly name: string | undefined;
  readonly expiryMs: number | undefined;
}

async function askForToken(input: CommandInput, { name, expiryMs }: Wish): Promise<string> {
  const { settings, terminal } = input;
  const server = await serverOf(input);
  if (settings.isOn("regenerate")) {
    if (name !== undefined)
      throw usageError("--regenerate is for the operator's token: leave out --name");
    await confirmRegenerate(terminal);
    return textOf(await sendForText(server, { method: "POST", path: `${PATH}/admin/regenerate` }));
  }
  if (name === undefined) {
    const asked = sendForText(server, { method: "POST", path: `${PATH}/admin` });
    return textOf(await withHint(asked, TAKEN, OPERATOR_HINT));
  }
  const expiry = expiryMs === undefined ? {} : { expiry_secs: Math.ceil(expiryMs / 1000) };
  const asked = sendForText(server, {
    method: "POST",
    path: `${PATH}/named_admin`,
    contentType: "application/json",
    body: utf8(JSON.stringify({ token_name: name, ...expiry })),
  });
  return textOf(await withHint(asked, TAKEN, "choose another --name"));
}

async function confirmRegenerate(terminal: Terminal): Promise<void> {
  terminal.error("Are you sure you want to regenerate admin token? Enter 'yes' to confirm");
  if ((await readLine(terminal)) === "yes") return;
  throw new DbError("invalid", "not_confirmed", "Cannot regenerate token without confirmation");
}

/** The token in the answer of a server. */
function textOf(answer: string): string {
  const found = TOKEN_FIELD.exec(answer)?.[1];
  if (found !== undefined) return found;
  throw new DbError(
    "internal",
    "answer_unknown",
    "the server's answer has no token: is another program there?",
  );
}

function parseExpiry(text: string): number {
  const ms = parseDuration(text);
  if (ms < 1000) throw usageError("the shortest is 1s");
  return ms;
}

function showToken(token: string, format: "text" | "json", terminal: Terminal): void {
  const header = `Authorization: Bearer ${token}`;
  if (format === "json") {
    const advice = `Store this token securely, as it will not be shown again. HTTP requests bring it in the header "${header}".`;
    terminal.out(JSON.stringify({ token, help_msg: advice }));
    return;
  }
  const title = "New token created successfully!";
  terminal.out("");
  terminal.out(terminal.output.isTTY === true ? `${UNDERLINED}${title}${PLAIN}` : title);
  terminal.out("");
  terminal.out(`Token: ${token}`);
  terminal.out(`HTTP Requests Header: ${header}`);
  terminal.out("");
  terminal.out("IMPORTANT: Store this token securely, as it will not be shown again.");
}

/** Makes a token and writes it to a file that only its owner reads. */
async function writeTokenFile(
  settings: Settings,
  terminal: Terminal,
  { name = OPERATOR_NAME, expiryMs }: Wish,
): Promise<number> {
  const path = settings.require("output-file");
  checkTokenName(name);
  const token = tokenText(randomBytes(TOKEN_SECRET_SIZE));
  const expiry = expiryMs === undefined ? {} : { expiry_millis: Math.ceil(Date.now() + expiryMs) };
  const text = `${JSON.stringify({ token, name, ...expiry }, null, 2)}\n`;
  try {
    // What stands there may be the token of a cluster that runs.
    await writeFile(path, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    const message = `error writing file: ${describeError(error)}`;
    throw new DbError("invalid", "file_unwritable", message, { cause: error });
  }
  terminal.out(`Token file written to ${path}: start the first node with --admin-token-file`);
  return 0;
}

async function deleteToken(input: CommandInput): Promise<number> {
  const { settings, terminal } = input;
  const name = settings.require("token-name");
  const server = await serverOf(input);
  if (!settings.isOn("yes"))
    await confirm(terminal, `Are you sure you want to delete "${name}"?`, "--yes");
  try {
    const parameters = { token_name: name };
    const asked = sendForText(server, { method: "DELETE", path: PATH, parameters });
    await withHint(asked, /token not found/, "'show tokens' lists those that are there");
  } catch (error) {
    if (!(error instanceof DbError) || !/operator/.test(error.message)) throw error;
    const message = `the operator token cannot be deleted; replace it with '${terminal.programName} create token --admin --regenerate --token [TOKEN]'`;
    throw new DbError("unsupported", "token_operator", message, { cause: error });
  }
  terminal.out(`Token "${name}" deleted successfully`);
  return 0;
}
