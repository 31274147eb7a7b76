import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { type Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { buffer } from "node:stream/consumers";
import { readBody } from "../cloud/body.ts";

export interface Question {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
}

export interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

const TYPE = "application/octet-stream";

/** Sends a request, once, and reads the whole answer, whatever it says. Rejects where none came, or not all of it. */
export async function exchange(
  question: Question,
  agent: HttpAgent | HttpsAgent,
  signal: AbortSignal,
): Promise<Answer> {
  const { method, url, body } = question;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const send = url.protocol === "http:" ? httpRequest : httpsRequest;
  const headers = {
    ...question.headers,
    ...(body !== undefined && { "content-type": TYPE, "content-length": String(body.length) }),
  };
  send(url, { method, agent, signal, headers })
    .on("response", resolve)
    .on("error", reject)
    .end(body);
  const answer = await promise;
  const { statusCode: status = 0, headers: told } = answer;
  const size = told["content-length"];
  return {
    status,
    body:
      size === undefined
        ? Uint8Array.from(await buffer(answer))
        : await readBody(answer, Number(size), signal),
  };
}
