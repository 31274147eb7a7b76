/** Holds docs/openapi.json to the routes of the server. What they answer, test/e2e/openapi.test.ts asks a node. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { EARLY_ROUTES, ROUTES } from "#http/router.ts";
import { deadReferences, operations } from "./openapi-document.ts";

/** What the server answers, `GET /health`, without what is for nodes among each other. */
function served(): readonly string[] {
  const early = [...EARLY_ROUTES.keys()].map((path) => `GET ${path}`);
  const others = [...ROUTES].flatMap(([path, { methods, withPathsBelow }]) =>
    Object.keys(methods).map((method) => `${method} ${path}${withPathsBelow ? "/{path}" : ""}`),
  );
  return [...early, ...others].filter((name) => !name.includes("/api/v3/tidelake/"));
}

suite("docs/openapi.json", () => {
  const described = operations();

  test("has every route of the server with its methods, and no other", () => {
    const names = described.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(names.toSorted(), served().toSorted());
  });

  test("has references that lead somewhere, names of operations that are used once, and an answer of each", () => {
    assert.deepEqual(deadReferences(), []);
    const ids = described.flatMap(({ operationId }) => operationId ?? []);
    assert.equal(new Set(ids).size, ids.length);
    for (const { answers, method, path } of described) {
      const ends = [...answers.keys()].filter((status) => status < 300 || status === 501);
      assert.ok(ends.length > 0, `${method} ${path} comes to an end`);
    }
  });
});
