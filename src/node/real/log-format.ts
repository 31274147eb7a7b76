import type { LogFormat } from "../config.ts";

/** What a line of the log says beside its fields. */
interface Head {
  readonly time: string;
  readonly level: string;
  readonly message: string;
}

type Fields = readonly (readonly [name: string, value: unknown])[];

const LEVEL_NAMES: ReadonlyMap<unknown, string> = new Map([
  [10, "trace"],
  [20, "debug"],
  [30, "info"],
  [40, "warn"],
  [50, "error"],
  [60, "fatal"],
]);

const WRITERS: Readonly<
  Record<Exclude<LogFormat, "json">, (head: Head, fields: Fields) => string>
> = { full: fullLine, pretty: prettyLines, logfmt: logfmtLine };

/** `json`, a line of the log as pino makes it, in another format; it ends in a newline. */
export function formatLogLine(json: string, format: LogFormat): string {
  if (format === "json") return json;
  const { level, time, msg, ...fields } = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const head: Head = {
    time: String(time),
    level: LEVEL_NAMES.get(level) ?? String(level),
    message: String(msg),
  };
  return `${WRITERS[format](head, Object.entries(fields))}\n`;
}

/** For people: `time LEVEL message name=value …`. */
function fullLine({ time, level, message }: Head, fields: Fields): string {
  return [`${time} ${level.toUpperCase().padStart(5)} ${oneLine(message)}`, ...pairs(fields)].join(
    " ",
  );
}

/** For people with room: each field on a line of its own. */
function prettyLines({ time, level, message }: Head, fields: Fields): string {
  return [
    `${time} ${level.toUpperCase().padStart(5)} ${oneLine(message)}`,
    ...pairs(fields).map((pair) => `    ${pair}`),
  ].join("\n");
}

/** For programs that read logfmt: pairs alone. */
function logfmtLine({ time, level, message }: Head, fields: Fields): string {
  return pairs([["time", time], ["level", level], ["msg", message], ...fields]).join(" ");
}

function pairs(fields: Fields): readonly string[] {
  return fields.map(([name, value]) => `${name}=${valueText(value)}`);
}

/** Quoted where a reader could take it for more than one value. */
function valueText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[^\s"=\\\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text);
}

/** Whoever can put text into a message cannot make a second line of it. */
function oneLine(text: string): string {
  return /\p{Cc}/u.test(text) ? JSON.stringify(text) : text;
}
