/** What an endpoint answers. The server adds the headers that all answers have, and sends it. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The whole body, or its chunks, each made when the client has taken those before. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

const TEXT = "text/plain; charset=utf-8";
const JSON_TEXT = "application/json";

/** An answer without a body. */
export function emptyReply(status: number, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers };
}

/** An answer of plain text. */
export function textReply(status: number, body: string): Reply {
  return { status, headers: { "content-type": TEXT }, body };
}

/** An answer of one JSON document. */
export function jsonReply(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return {
    status,
    headers: { "content-type": JSON_TEXT, ...headers },
    body: JSON.stringify(value),
  };
}
