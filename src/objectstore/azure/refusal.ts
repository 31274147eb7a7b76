import { RestError } from "@azure/storage-blob";
import type { CloudRefusal } from "../cloud/failures.ts";

/** What the service answered when the library threw `error`, or what happened to the connection. */
export function refusalOf(error: unknown): CloudRefusal {
  if (!(error instanceof Error)) return { status: undefined, code: undefined, text: String(error) };
  // Below the first line stand numbers of the request, and the time.
  const [text = ""] = error.message.split("\n");
  if (!(error instanceof RestError)) return { status: undefined, code: undefined, text };
  // The service's own name for it stands beside the body as well, for answers that have none.
  const code = error.response?.headers.get("x-ms-error-code") ?? error.code;
  return { status: error.statusCode, code, text };
}
