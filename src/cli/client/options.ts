import type { OptionSpec } from "../options.ts";

/** Which server, as whom: options of every command that speaks to one. */
export const SERVER_OPTIONS: readonly OptionSpec[] = [
  {
    name: "host",
    short: "H",
    value: "HOST_URL",
    about: "The node to speak to, like http://host01:8181 or host01:8181",
    env: "INFLUXDB3_HOST_URL",
    default: "http://127.0.0.1:8181",
  },
  {
    name: "token",
    value: "AUTH_TOKEN",
    about: "The token that says who asks",
    env: "INFLUXDB3_AUTH_TOKEN",
  },
  {
    name: "tls-ca",
    value: "FILE",
    about: "Trust servers whose certificate this authority signed",
    env: "INFLUXDB3_TLS_CA",
  },
  {
    name: "tls-no-verify",
    about: "Speak to a server whatever its certificate says",
    env: "INFLUXDB3_TLS_NO_VERIFY",
  },
];

export const DATABASE_OPTION: OptionSpec = {
  name: "database",
  short: "d",
  value: "DATABASE_NAME",
  about: "The database",
  env: "INFLUXDB3_DATABASE_NAME",
};

/** Of what is made or changed; see `retentionOf`. */
export const RETENTION_OPTION: OptionSpec = {
  name: "retention-period",
  short: "r",
  value: "DURATION",
  about: "How long rows are kept, like 30d or 1y, or none",
};

/** What the API takes for a retention period: null for none of its own. */
export function retentionOf(text: string): string | null {
  return text.toLowerCase() === "none" ? null : text;
}

/** How something is deleted. */
export const DROP_OPTIONS: readonly OptionSpec[] = [
  {
    name: "hard-delete",
    value: "WHEN",
    about: "When its data is erased: never, now, default, or a time like 2030-01-01T00:00:00Z",
  },
  { name: "data-only", about: "Delete the rows alone" },
  { name: "yes", short: "y", about: "Do not ask" },
];

export const FORMATS = ["pretty", "json", "jsonl", "csv", "parquet"] as const;
export type Format = (typeof FORMATS)[number];

/** How a result is written, and where to. */
export const RESULT_OPTIONS: readonly OptionSpec[] = [
  {
    name: "format",
    value: "FORMAT",
    about: `How the result is written: ${FORMATS.join(", ")}`,
    default: "pretty",
  },
  {
    name: "output",
    short: "o",
    value: "FILE",
    about: "Write the result to this file",
  },
];
