import { readFile } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage, STATUS_CODES } from "node:http";
import { request as httpsRequest } from "node:https";
import { DbError, describeError } from "#base/errors.ts";
import type { CommandInput } from "../command.ts";
import { parseServerUrl } from "../values/address.ts";
import { errorKind, errorText } from "./server-error.ts";

/** The server that a command speaks to. */
export interface Server {
  /** Without a slash at its end. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A certificate authority in PEM. */
  readonly ca: Buffer | undefined;
  readonly verify: boolean;
  /** What to do when nobody answers, as the end of a sentence. */
  readonly hint: string;
}

export interface ServerRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly parameters?: Readonly<Record<string, string | undefined>>;
  readonly contentType?: string;
  readonly body?: Uint8Array;
  /** After how long without a byte the server counts as gone; without it, never. */
  readonly silenceMsMax?: number;
}

/** What a server said, whether it took the request or not. */
export interface Answer {
  readonly status: number;
  /** The seconds after which it wants to be asked again, as it wrote them. */
  readonly retryAfter: string | undefined;
  readonly text: string;
}

const ERROR_SIZE_MAX = 2 ** 20;
const HEADER_WORD = /^[\x21-\x7e]+$/;
const UNAUTHORIZED = 401;
const TOKEN_HINT =
  "; bring a token with --token or the variable INFLUXDB3_AUTH_TOKEN ('create token --admin' makes the first one)";

/** The server that the options of a command name. */
export async function serverOf({ settings, terminal }: CommandInput): Promise<Server> {
  const token = settings.parseIfGiven("token", parseToken);
  const caFile = settings.find("tls-ca");
  return {
    url: settings.parse("host", parseServerUrl),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ca: caFile === undefined ? undefined : await readNamedFile(caFile),
    verify: !settings.isOn("tls-no-verify"),
    hint: `start one with '${terminal.programName} serve', or name another with --host`,
  };
}

/** A text that a header can hold; the complaint does not repeat it. */
function parseToken(text: string): string {
  const token = text.trim();
  if (HEADER_WORD.test(token)) return token;
  throw new DbError(
    "invalid",
    "token_malformed",
    "the token of --token (or the variable INFLUXDB3_AUTH_TOKEN) is no token: it is empty, or has spaces or characters that no token has",
  );
}

/** The bytes of a file the user named; rejects with `invalid` / `file_unreadable`. */
async function readNamedFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw fileUnreadable(error);
  }
}

/** The complaint about a file that cannot be read, because of `error`. */
export function fileUnreadable(error: unknown): DbError {
  return new DbError("invalid", "file_unreadable", `error reading file: ${describeError(error)}`, {
    cause: error,
  });
}

/**
 * Sends `request`; resolves with the answer, its body yet to be read, when the server took it.
 *
 * Rejects with `unavailable` / `server_unreachable` when no answer came, and with code `server_refused`, its kind
 * by the status, when the server refused.
 */
export async function send(server: Server, request: ServerRequest): Promise<IncomingMessage> {
  const answer = await exchange(server, request);
  const status = answer.statusCode ?? 0;
  if (isSuccess(status)) return answer;
  throw refusal({ status, text: await readBounded(answer) });
}

/** Sends `request` and reads the answer, a refusal too. Rejects with `unavailable` / `server_unreachable`. */
export async function sendForAnswer(server: Server, request: ServerRequest): Promise<Answer> {
  const answer = await exchange(server, request);
  const { statusCode: status = 0, headers } = answer;
  return { status, retryAfter: headers["retry-after"], text: await readBounded(answer) };
}

/** Whether a server that answers with `status` took the request. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** The error that tells what the server said when it refused. */
export function refusal({ status, text }: Pick<Answer, "status" | "text">): DbError {
  const words = errorText(text);
  const name = [status, STATUS_CODES[status]].filter((part) => part !== undefined).join(" ");
  const hint = status === UNAUTHORIZED ? TOKEN_HINT : "";
  const message = `server responded with error [${name}]${words === "" ? "" : `: ${words}`}${hint}`;
  return new DbError(errorKind(status), "server_refused", message, { detail: { status } });
}

/** As `work`; what a server refused in words that are `meant` is followed by `hint`, of what to do next. */
export async function withHint<T>(work: Promise<T>, meant: RegExp, hint: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof DbError) || error.code !== "server_refused") throw error;
    if (!meant.test(error.message)) throw error;
    const { kind, code, detail, message } = error;
    throw new DbError(kind, code, `${message}; ${hint}`, { detail, cause: error });
  }
}

/** Sends `request` and reads the whole answer. */
export async function sendForText(server: Server, request: ServerRequest): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of bodyOf(await send(server, request))) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** The bytes of an answer; rejects with `unavailable` / `answer_incomplete` when it breaks off. */
export async function* bodyOf(answer: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of answer) yield chunk as Buffer;
  } catch (error) {
    throw new DbError(
      "unavailable",
      "answer_incomplete",
      "the server broke off its answer; what came of it is not complete",
      { cause: error },
    );
  }
}

function exchange(server: Server, request: ServerRequest): Promise<IncomingMessage> {
  const url = new URL(`${server.url}${request.path}`);
  for (const [name, value] of Object.entries(request.parameters ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const body = request.body ?? new Uint8Array(0);
  const options = {
    method: request.method,
    headers: {
      ...server.headers,
      ...(request.contentType === undefined ? {} : { "content-type": request.contentType }),
      ...(["POST", "PUT"].includes(request.method) ? { "content-length": body.length } : {}),
    },
    // Most commands make one request. Those of a large write are large, and a connection that idles may be closed just then.
    agent: false as const,
  };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent =
    url.protocol === "https:"
      ? httpsRequest(url, {
          ...options,
          rejectUnauthorized: server.verify,
          ...(server.ca === undefined ? {} : { ca: server.ca }),
        })
      : httpRequest(url, options);
  sent.on("response", resolve);
  sent.on("error", (error) => reject(unreachable(server, error)));
  const { silenceMsMax } = request;
  if (silenceMsMax !== undefined) {
    const silent = new Error(`nothing came for ${silenceMsMax / 1000} s`);
    sent.setTimeout(silenceMsMax, () => sent.destroy(silent));
  }
  sent.end(body);
  return promise;
}

function unreachable(server: Server, error: Error): DbError {
  const code = "code" in error ? error.code : undefined;
  const message =
    code === "ECONNRESET" || code === "EPIPE"
      ? `the server at ${server.url} closed the connection before it answered`
      : `no server answers at ${server.url}${code === "ECONNREFUSED" ? "" : ` (${describeError(error)})`}; ${server.hint}`;
  return new DbError("unavailable", "server_unreachable", message, {
    detail: { url: server.url },
  });
}

async function readBounded(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of answer) {
      chunks.push(chunk as Buffer);
      sizeBytes += (chunk as Buffer).length;
      if (sizeBytes > ERROR_SIZE_MAX) break;
    }
  } catch {
    // The status has been heard; its text is an extra.
  }
  return Buffer.concat(chunks).toString("utf8");
}
