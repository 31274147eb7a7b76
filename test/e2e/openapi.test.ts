/** Asks a node everything that docs/openapi.json has: rightly, wrongly, and without a token. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Operation, operations } from "../openapi-document.ts";
import { Sandbox } from "./cluster.ts";

/** Statuses of right requests that are no success: of what there is already, is not there, or is not built. */
const NO_SUCCESS: readonly (readonly [RegExp, number])[] = [
  [/\/token\/admin$/, 409],
  [/^POST .*\/configure\/token$/, 501],
  [/\/enterprise\/configure\/node\//, 404],
  [/processing_engine|\/plugin|\/engine\//, 501],
];

interface Given {
  readonly token: string | undefined;
  readonly body?: string | undefined;
  readonly type?: string;
  readonly query?: string;
}

async function ask(url: string, { method, path }: Operation, given: Given) {
  const { token, body, type, query = "" } = given;
  const response = await fetch(`${url}${path.replace(/\{\w+\}/, "any")}?${query}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(type !== undefined && { "content-type": type }),
    },
    ...(body !== undefined && { body }),
  });
  const [media = ""] = (response.headers.get("content-type") ?? "").split(";");
  return { status: response.status, media, text: await response.text() };
}

/** The answer's status and media type are in the document. */
function assertDescribed(operation: Operation, answer: Awaited<ReturnType<typeof ask>>): void {
  const name = `${operation.method} ${operation.path}`;
  const medias = operation.answers.get(answer.status);
  assert.ok(medias !== undefined, `${name} answers ${answer.status}: ${answer.text}`);
  if (medias.length === 0) assert.equal(answer.text, "", `${name} has no body`);
  else assert.ok(medias.includes(answer.media), `${name} answers ${answer.media}`);
}

/** The parameters and body that the document gives as example. */
function example({ bodyExamples, parameters }: Operation): Omit<Given, "token"> {
  const query = new URLSearchParams();
  for (const { example: value, in: place, name, required } of parameters)
    if (place === "query" && required) query.set(name, value ?? "");
  const [[type, body] = []] = Object.entries(bodyExamples);
  if (type === undefined) return { query: String(query) };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { query: String(query), type, body: text };
}

suite("docs/openapi.json", () => {
  test("tells what a node answers: to its examples, to nothing, and to who brings no token", async () => {
    await using sandbox = await Sandbox.open();
    const { url } = await sandbox.start({ auth: true });
    const first = await fetch(`${url}/api/v3/configure/token/admin`, { method: "POST" });
    let { token } = (await first.json()) as { token: string };
    for (const operation of operations()) {
      const name = `${operation.method} ${operation.path}`;
      const right = await ask(url, operation, { token, ...example(operation) });
      assertDescribed(operation, right);
      const [, expected] = NO_SUCCESS.find(([pattern]) => pattern.test(name)) ?? [];
      const isAsMeant = expected === undefined ? right.status < 300 : right.status === expected;
      assert.ok(isAsMeant, `${name} answers ${right.status}: ${right.text}`);
      if (name.endsWith("/regenerate")) ({ token } = JSON.parse(right.text) as { token: string });
      else assertDescribed(operation, await ask(url, operation, { token }));
      if (!operation.isSecured) continue;
      const stranger = await ask(url, operation, { token: undefined });
      assert.equal(stranger.status, 401, name);
      assertDescribed(operation, stranger);
    }
  });
});
