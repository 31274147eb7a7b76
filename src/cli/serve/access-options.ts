import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Action } from "#access/authorize.ts";
import { checkTokenName, isTokenText, TOKEN_TEXT_HINT } from "#access/token-text.ts";
import type { GivenToken } from "#access/tokens.ts";
import { DbError, describeError } from "#base/errors.ts";
import { TIME_MAX } from "#model/time-range.ts";
import type { NodeConfig } from "#node/config.ts";
import type { OptionSpec, Settings } from "../options.ts";
import { parseBindAddress } from "../values/address.ts";
import { usageError } from "../values/usage.ts";

/** What `--disable-authz` takes, and what nobody is asked for a token then. */
const OPEN_PARTS: ReadonlyMap<string, Action> = new Map([
  ["health", "see_health"],
  ["ping", "see_version"],
  ["metrics", "see_metrics"],
]);
const NS_PER_MS = 1_000_000n;
const RECOVERY_BIND = "127.0.0.1:8182";
const TIME_MS_MAX = Number(TIME_MAX / NS_PER_MS);

/** Who needs a token for what. */
export const ACCESS_OPTIONS: readonly OptionSpec[] = [
  {
    name: "without-auth",
    about: "Answer every request, whoever sends it",
    env: "INFLUXDB3_WITHOUT_AUTH",
    old: { envs: ["INFLUXDB3_START_WITHOUT_AUTH"] },
  },
  {
    name: "disable-authz",
    value: "PARTS",
    about: "Ask for no token at some of health (/health, /ready), ping, metrics, joined by commas",
    repeats: true,
  },
  {
    name: "admin-token-file",
    value: "FILE",
    about:
      "Take the operator's token from this file, as 'create token --admin --offline' writes it, where the cluster has no token yet",
  },
  {
    name: "admin-token-recovery-http-bind",
    value: "ADDRESS",
    valueOptional: true,
    about: `Give a new operator's token to whoever asks there, once; without an address at ${RECOVERY_BIND}`,
    advanced: true,
  },
  {
    name: "admin-token-recovery-tcp-listener-file-path",
    value: "FILE",
    about: "Write the address that this was bound to into this file",
    advanced: true,
  },
];

type AccessConfig = Pick<
  NodeConfig,
  "withoutAuth" | "openActions" | "givenToken" | "recoveryBind" | "recoveryListenerFilePath"
>;

/** What the options say of access. Throws `invalid` / `file_unreadable` or `token_file`. */
export function accessConfig(
  settings: Settings,
  { nowMs, workingDirectory }: { nowMs: number; workingDirectory: string },
): AccessConfig {
  return {
    withoutAuth: settings.isOn("without-auth"),
    openActions: settings.parseIfGiven("disable-authz", parseOpenParts) ?? [],
    givenToken: settings.parseIfGiven("admin-token-file", (text) =>
      readToken(resolve(workingDirectory, text), nowMs),
    ),
    recoveryBind: settings.parseIfGiven("admin-token-recovery-http-bind", (text) =>
      // Without a value it is on.
      text === "true" ? RECOVERY_BIND : parseBindAddress(text),
    ),
    recoveryListenerFilePath: settings.parseIfGiven(
      "admin-token-recovery-tcp-listener-file-path",
      (text) => resolve(workingDirectory, text),
    ),
  };
}

function parseOpenParts(text: string): readonly Action[] {
  return text.split(",").map((part) => {
    const action = OPEN_PARTS.get(part.trim());
    if (action !== undefined) return action;
    throw usageError(`possible values are ${[...OPEN_PARTS.keys()].join(", ")}, joined by commas`);
  });
}

function readToken(path: string, nowMs: number): GivenToken {
  const { token: text, name, expiry_millis: expiryMs } = readObject(path);
  if (typeof text !== "string" || !isTokenText(text)) {
    throw wrongFile(path, `token is not ${TOKEN_TEXT_HINT}`);
  }
  if (typeof name !== "string") throw wrongFile(path, "name is missing");
  checkTokenName(name);
  if (expiryMs === undefined || expiryMs === null) return { text, name, expiresAtNs: undefined };
  // One that has expired would lock the cluster: nobody could make another.
  if (typeof expiryMs !== "number" || !isTimeToCome(expiryMs, nowMs)) {
    throw wrongFile(path, "expiry_millis is no time to come, in milliseconds since 1970");
  }
  return { text, name, expiresAtNs: BigInt(expiryMs) * NS_PER_MS };
}

function isTimeToCome(timeMs: number, nowMs: number): boolean {
  return Number.isSafeInteger(timeMs) && timeMs > nowMs && timeMs <= TIME_MS_MAX;
}

function readObject(path: string): Readonly<Record<string, unknown>> {
  const value = parseFile(path);
  if (typeof value !== "object" || value === null) throw wrongFile(path, "it is no object");
  return value as Readonly<Record<string, unknown>>;
}

function parseFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    // The message of a JSON error would show some of the file.
    if (error instanceof SyntaxError) throw wrongFile(path, "it is not JSON");
    const message = `error reading file: ${describeError(error)}`;
    throw new DbError("invalid", "file_unreadable", message, { cause: error });
  }
}

function wrongFile(path: string, reason: string): DbError {
  return new DbError(
    "invalid",
    "token_file",
    `the token file ${path} is not {"token", "name", "expiry_millis"?} as 'create token --admin --offline' writes it: ${reason}`,
    { detail: { path } },
  );
}
