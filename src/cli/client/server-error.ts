import type { ErrorKind } from "#base/errors.ts";

const KINDS: Readonly<Record<number, ErrorKind>> = {
  401: "denied",
  403: "denied",
  404: "not_found",
  405: "unsupported",
  409: "conflict",
  413: "exceeded",
  422: "exceeded",
  429: "exceeded",
  501: "unsupported",
  503: "unavailable",
};

/** A line that a write did not take, as the server names it. */
export interface RejectedLine {
  /** Counts from 1 in the body of the request. */
  readonly lineNumber: number | undefined;
  readonly message: string;
  /** Its beginning. */
  readonly text: string;
}

const PARTIAL_WRITE = "partial write of line protocol occurred";

/** What the caller can do about an answer with `status`. */
export function errorKind(status: number): ErrorKind {
  return KINDS[status] ?? (status >= 500 ? "internal" : "invalid");
}

/**
 * What the body of a refusal says: one line, then one for each line of a write that was not taken.
 * Bodies are JSON with `error` and `data`, JSON with `message`, or plain text.
 */
export function errorText(body: string): string {
  const value = parseJson(body);
  if (!isRecord(value)) return oneLine(body);
  const { error, message, data } = value;
  const text = typeof error === "string" ? error : message;
  if (typeof text !== "string") return oneLine(body);
  return [oneLine(text), ...rejectedLines(data).map(rejectedText)].join("\n");
}

/** The lines that were not taken while all others of the write are stored; undefined when `body` tells of something else. */
export function partialWriteLines(body: string): readonly RejectedLine[] | undefined {
  const value = parseJson(body);
  if (!isRecord(value) || value["error"] !== PARTIAL_WRITE) return undefined;
  return rejectedLines(value["data"]);
}

/** A line that was not taken, as people are told of it. */
export function rejectedText({ lineNumber, message, text }: RejectedLine): string {
  const place = lineNumber === undefined ? "" : `line ${lineNumber}: `;
  return `  ${place}${message}${text === "" ? "" : ` (${JSON.stringify(text)})`}`;
}

function rejectedLines(data: unknown): readonly RejectedLine[] {
  const entries: readonly unknown[] = Array.isArray(data) ? data : [data];
  return entries.filter(isRecord).map((entry) => {
    const { line_number: number, original_line: line, error_message: message } = entry;
    return {
      lineNumber: typeof number === "number" ? number : undefined,
      message: typeof message === "string" ? oneLine(message) : "not taken",
      text: typeof line === "string" ? line : "",
    };
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*[\r\n]+\s*/g, " ");
}
