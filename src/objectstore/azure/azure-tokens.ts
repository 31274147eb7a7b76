import { readFile } from "node:fs/promises";
import { DbError, describeError } from "#base/errors.ts";
import { v } from "#base/schema.ts";
import type { Clock } from "#ports/clock.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface AzureToken {
  readonly token: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresOnTimestamp: number;
}

/** How a service is asked for a token. */
interface TokenRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Without one the request is a GET. */
  readonly form?: Readonly<Record<string, string>>;
}

interface TokenAnswer {
  readonly status: number;
  readonly text: string;
}

const RESOURCE = "https://storage.azure.com/";
const TOKEN_MS_MAX = 10_000;
const ANSWER_SHOWN_MAX = 500;

/** The metadata service says these for a while, as when it is updated or asked too often. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 410, 429]);

const SECONDS = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.nonEmpty())]),
  v.transform(Number),
  v.number(),
);

/** When a token ends, from now or since 1970: a hosted service says only the latter. Some say numbers as text. */
const ANSWER = v.pipe(
  v.string(),
  v.parseJson(),
  v.intersect([
    v.object({ access_token: v.pipe(v.string(), v.nonEmpty()) }),
    v.union([v.object({ expires_in: SECONDS }), v.object({ expires_on: SECONDS })]),
  ]),
);

/**
 * Tokens instead of an account key, for the first identity that `env` tells of: an application (`AZURE_TENANT_ID` and
 * `AZURE_CLIENT_ID` with `AZURE_CLIENT_SECRET`, or with `AZURE_FEDERATED_TOKEN_FILE` as in Kubernetes), else the one that this
 * machine was given (`IDENTITY_ENDPOINT` in a hosted service, or the metadata service of a virtual machine).
 */
export class AzureTokens {
  readonly #env: Environment;
  readonly #clock: Clock;

  constructor(env: Environment, clock: Clock) {
    this.#env = env;
    this.#clock = clock;
  }

  /** Rejects with `unavailable` / `store_denied` when the identity is refused, `store_unreachable` when nobody answers. */
  async getToken(): Promise<AzureToken> {
    const request = await tokenRequest(this.#env);
    const { status, text } = await this.#send(request);
    const read = v.safeParse(ANSWER, text);
    if (status === 200 && read.success) {
      const { access_token: token, ...end } = read.output;
      if ("expires_on" in end) return { token, expiresOnTimestamp: end.expires_on * 1_000 };
      const nowMs = Number(this.#clock.nowNs() / 1_000_000n);
      return { token, expiresOnTimestamp: nowMs + end.expires_in * 1_000 };
    }
    const message = `Azure gives no token for the object store (${originOf(request)} answers ${status})`;
    // An answer that is not understood may hold a token all the same.
    const answer = status === 200 ? undefined : text.slice(0, ANSWER_SHOWN_MAX);
    const options = { detail: { status, answer } };
    if (status >= 500 || PASSING_STATUSES.has(status))
      throw new DbError("unavailable", "store_unreachable", `${message}.`, options);
    throw new DbError(
      "unavailable",
      "store_denied",
      `${message}: check AZURE_TENANT_ID, AZURE_CLIENT_ID and what goes with them, or set --azure-storage-access-key.`,
      options,
    );
  }

  async #send(request: TokenRequest): Promise<TokenAnswer> {
    const fetching = new AbortController();
    const timer = new AbortController();
    const timeout = this.#clock.sleep(TOKEN_MS_MAX, timer.signal).then(() => {
      throw new Error(`no answer within ${TOKEN_MS_MAX} ms`);
    });
    try {
      return await Promise.race([fetchAnswer(request, fetching.signal), timeout]);
    } catch (error) {
      fetching.abort();
      throw new DbError(
        "unavailable",
        "store_unreachable",
        `Nobody at ${originOf(request)} gives a token for the object store (${describeError(error)}): set --azure-storage-access-key, or an identity of Azure.`,
        { cause: error },
      );
    } finally {
      timer.abort();
    }
  }
}

async function fetchAnswer(
  { url, headers = {}, form }: TokenRequest,
  signal: AbortSignal,
): Promise<TokenAnswer> {
  const posted = form && { method: "POST", body: new URLSearchParams(form) };
  const answer = await fetch(url, { headers, signal, ...posted });
  return { status: answer.status, text: await answer.text() };
}

function originOf({ url }: TokenRequest): string {
  return new URL(url).origin;
}

async function tokenRequest(env: Environment): Promise<TokenRequest> {
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, IDENTITY_ENDPOINT: hosted } = env;
  const proof = await applicationProof(env);
  if (tenant && client && proof !== undefined) {
    const authority = env["AZURE_AUTHORITY_HOST"] || "https://login.microsoftonline.com";
    return {
      url: `${authority.replace(/\/$/, "")}/${tenant}/oauth2/v2.0/token`,
      form: {
        grant_type: "client_credentials",
        client_id: client,
        scope: `${RESOURCE}.default`,
        ...proof,
      },
    };
  }
  // A machine may have several identities, and then has to be told which.
  const query = new URLSearchParams({ resource: RESOURCE, ...(client && { client_id: client }) });
  if (hosted) {
    query.set("api-version", "2019-08-01");
    const headers = { "X-IDENTITY-HEADER": env["IDENTITY_HEADER"] ?? "" };
    return { url: `${hosted}?${query.toString()}`, headers };
  }
  query.set("api-version", "2018-02-01");
  const machine = env["AZURE_POD_IDENTITY_AUTHORITY_HOST"] || "http://169.254.169.254";
  return {
    url: `${machine.replace(/\/$/, "")}/metadata/identity/oauth2/token?${query.toString()}`,
    headers: { Metadata: "true" },
  };
}

/** What an application shows to be itself; undefined when it has nothing. */
async function applicationProof(
  env: Environment,
): Promise<Readonly<Record<string, string>> | undefined> {
  const { AZURE_CLIENT_SECRET: secret, AZURE_FEDERATED_TOKEN_FILE: path } = env;
  if (secret) return { client_secret: secret };
  if (!path) return undefined;
  const assertion = await readFile(path, "utf8").catch((error: unknown) => {
    const message = `The file of AZURE_FEDERATED_TOKEN_FILE cannot be read: ${describeError(error)}.`;
    throw new DbError("unavailable", "store_denied", message, { cause: error });
  });
  return {
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion.trim(),
  };
}
