import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { type Call, openServer, send, someServices } from "#testing/http.ts";

const PATH = "/api/v3/configure/query_concurrency_limit";

/** Answers of a node that may run eight queries at once, to calls one after the other. */
async function ask(...calls: readonly Omit<Call, "path">[]) {
  let limit = 8;
  const services = someServices({
    queryConcurrency: () => ({ limit, limitMax: 8 }),
    limitQueryConcurrency: (wanted = 8) => {
      if (wanted > 8) throw new DbError("invalid", "query_limit_range", "the limit is 8");
      limit = wanted;
    },
  });
  await using server = await openServer({ services });
  const answers: { status: number; body: unknown }[] = [];
  for (const call of calls) {
    const { status, body } = await send(server.address, { ...call, path: PATH });
    answers.push({ status, body: body.startsWith("{") ? JSON.parse(body) : body });
  }
  return answers;
}

function shown(limit: number) {
  return { status: 200, body: { query_concurrency_limit: limit, max_concurrent_queries: 8 } };
}

function put(value: string, method = "PUT"): Omit<Call, "path"> {
  return { method, body: `{"query_concurrency_limit":${value}}` };
}

suite("the limit of queries at once", () => {
  test("is shown, set, and set back", async () => {
    const answers = await ask({}, put("3"), {}, put("4", "POST"), { method: "DELETE" }, {});
    assert.deepEqual(answers, [shown(8), shown(3), shown(3), shown(4), shown(8), shown(8)]);
  });

  for (const [body, message] of [
    ["{}", /missing field `query_concurrency_limit`/],
    ['{"query_concurrency_limit":null}', /missing field/],
    ['{"query_concurrency_limit":"3"}', /expected a whole number/],
    ['{"query_concurrency_limit":1.5}', /expected a whole number/],
    ['{"query_concurrency_limit":9}', /the limit is 8/],
    ["3", /expected an object/],
    ["", /serde json error/],
  ] as const)
    test(`is not set by ${body || "nothing"}`, async () => {
      const [answer, after] = await ask({ method: "PUT", body }, {});
      assert.equal(answer?.status, 400);
      assert.match(String(answer?.body), message);
      assert.deepEqual(after, shown(8));
    });
});
