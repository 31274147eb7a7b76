import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { HandClock } from "#testing/hand-clock.ts";
import { AzureTokens } from "./azure-tokens.ts";

const GRANTED = JSON.stringify({ access_token: "granted", expires_in: "3600" });
const RESOURCE = "resource=https%3A%2F%2Fstorage.azure.com%2F";

suite("tokens for Azure", () => {
  test("an application shows its secret", async () => {
    await using service = await TokenService.open();
    const { token, expiresOnTimestamp } = await service.ask({
      AZURE_AUTHORITY_HOST: service.url,
      AZURE_TENANT_ID: "tenant",
      AZURE_CLIENT_ID: "client",
      AZURE_CLIENT_SECRET: "secret",
    });
    assert.equal(token, "granted");
    assert.equal(expiresOnTimestamp, service.nowMs + 3_600_000);
    assert.deepEqual(service.asked, {
      line: "POST /tenant/oauth2/v2.0/token",
      header: undefined,
      form: {
        grant_type: "client_credentials",
        client_id: "client",
        scope: "https://storage.azure.com/.default",
        client_secret: "secret",
      },
    });
  });

  test("an application shows what Kubernetes wrote into a file", async () => {
    await using service = await TokenService.open();
    const path = join(service.folder, "token");
    await writeFile(path, "assertion\n");
    await service.ask({
      AZURE_AUTHORITY_HOST: `${service.url}/`,
      AZURE_TENANT_ID: "tenant",
      AZURE_CLIENT_ID: "client",
      AZURE_FEDERATED_TOKEN_FILE: path,
    });
    assert.equal(service.asked?.line, "POST /tenant/oauth2/v2.0/token");
    assert.equal(service.asked?.form["client_assertion"], "assertion");
  });

  test("a hosted service asks its host, and a virtual machine its metadata", async () => {
    await using service = await TokenService.open();
    await service.ask({ IDENTITY_ENDPOINT: `${service.url}/host`, IDENTITY_HEADER: "proof" });
    assert.equal(service.asked?.line, `GET /host?${RESOURCE}&api-version=2019-08-01`);
    assert.equal(service.asked?.header, "proof");
    await service.ask({ AZURE_POD_IDENTITY_AUTHORITY_HOST: service.url, AZURE_CLIENT_ID: "one" });
    assert.equal(
      service.asked?.line,
      `GET /metadata/identity/oauth2/token?${RESOURCE}&client_id=one&api-version=2018-02-01`,
    );
    assert.equal(service.asked?.header, "true");
  });

  test("a hosted service says when the token ends, not how long it lasts", async () => {
    await using service = await TokenService.open();
    const env = { IDENTITY_ENDPOINT: service.url, IDENTITY_HEADER: "proof" };
    const body = JSON.stringify({ access_token: "granted", expires_on: "1586984735" });
    service.answer = { status: 200, body };
    const granted = { token: "granted", expiresOnTimestamp: 1_586_984_735_000 };
    assert.deepEqual(await service.ask(env), granted);
  });

  test("an answer that is not understood is not kept: it may hold a token", async () => {
    await using service = await TokenService.open();
    service.answer = { status: 200, body: '{"access_token":"granted","expires_on":"soon"}' };
    const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: service.url };
    await assert.rejects(service.ask(env), (error) => {
      assert.ok(isUnavailable(error, "store_denied"));
      assert.doesNotMatch(JSON.stringify(error), /granted/);
      return true;
    });
  });

  const refusals: readonly [status: number, body: string, code: string][] = [
    [400, '{"error":"invalid_request"}', "store_denied"],
    [401, "", "store_denied"],
    [200, "<html>", "store_denied"],
    [410, "", "store_unreachable"],
    [429, "", "store_unreachable"],
    [503, "", "store_unreachable"],
  ];
  for (const [status, body, code] of refusals) {
    test(`an answer of ${status} '${body}' is ${code}`, async () => {
      await using service = await TokenService.open();
      service.answer = { status, body };
      const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: service.url };
      await assert.rejects(service.ask(env), (error) => isUnavailable(error, code));
    });
  }

  test("nobody there, a service that is silent and a file that is missing are said in words", async () => {
    const service = await TokenService.open();
    const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: service.url };
    service.answer = undefined;
    const asking = assert.rejects(
      service.ask(env),
      /no answer within 10000 ms.*set --azure-storage/,
    );
    await service.received;
    await service.clock.advance(10_000);
    await asking;
    await service[Symbol.asyncDispose]();
    await assert.rejects(service.ask(env), /ECONNREFUSED.*set --azure-storage-access-key/);
    const application = { AZURE_TENANT_ID: "t", AZURE_CLIENT_ID: "c" };
    await assert.rejects(
      service.ask({ ...application, AZURE_FEDERATED_TOKEN_FILE: "/nowhere" }),
      /AZURE_FEDERATED_TOKEN_FILE cannot be read: ENOENT/,
    );
  });
});

function isUnavailable(error: unknown, code: string): boolean {
  return error instanceof DbError && error.kind === "unavailable" && error.code === code;
}

interface Asked {
  readonly line: string;
  /** What proves that the request comes from this machine. */
  readonly header: string | string[] | undefined;
  readonly form: Readonly<Record<string, string>>;
}

/** A service of tokens on this machine. */
class TokenService implements AsyncDisposable {
  readonly clock = new HandClock();
  readonly folder: string;
  /** What it answers; undefined: nothing. */
  answer: { readonly status: number; readonly body: string } | undefined = {
    status: 200,
    body: GRANTED,
  };
  asked: Asked | undefined;
  readonly #server: Server;
  readonly #received = Promise.withResolvers<void>();

  static async open(): Promise<TokenService> {
    const service = new TokenService(await mkdtemp(join(tmpdir(), "tidelake-tokens-")));
    const listening = Promise.withResolvers<void>();
    service.#server.listen(0, "127.0.0.1", listening.resolve);
    await listening.promise;
    return service;
  }

  private constructor(folder: string) {
    this.folder = folder;
    this.#server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      request.once("end", () => {
        this.asked = {
          line: `${request.method} ${request.url}`,
          header: request.headers["x-identity-header"] ?? request.headers["metadata"],
          form: Object.fromEntries(new URLSearchParams(body)),
        };
        this.#received.resolve();
        if (this.answer !== undefined) response.writeHead(this.answer.status).end(this.answer.body);
      });
    });
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  get nowMs(): number {
    return Number(this.clock.nowNs() / 1_000_000n);
  }

  /** Resolves when the first request is here. */
  get received(): Promise<void> {
    return this.#received.promise;
  }

  ask(env: Readonly<Record<string, string>>) {
    return new AzureTokens(env, this.clock).getToken();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await rm(this.folder, { recursive: true, force: true });
  }
}
