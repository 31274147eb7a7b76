import type { CloudRefusal } from "../cloud/failures.ts";

/** What the store answered when the library threw `error`, or what happened to the connection. */
export function refusalOf(error: unknown): CloudRefusal {
  if (!(error instanceof Error)) return { status: undefined, code: undefined, text: String(error) };
  // Of an answer that it cannot read the library says more than one line.
  const [text = ""] = error.message.split("\n");
  // What it says where the store said nothing.
  return {
    status: statusOf(error),
    code: codeOf(error),
    text: text === "UnknownError" ? "" : text,
  };
}

function statusOf(error: Error): number | undefined {
  if (!("$metadata" in error)) return undefined;
  const { $metadata: metadata } = error;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata))
    return undefined;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}

/** The error number of a connection that failed; else the name, which for refusals is the store's code. */
function codeOf(error: Error): string | undefined {
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.name === "Error" ? undefined : error.name;
}
