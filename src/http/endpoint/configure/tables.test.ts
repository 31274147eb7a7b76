import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { type Call, openServer, send, someServices } from "#testing/http.ts";

const PATH = "/api/v3/configure/table";
const RETENTION = "/api/v3/enterprise/configure/table/retention_period";
const TARGET = { database: "d", table: "t" };
const DAY_NS = 86_400_000_000_000n;

/** The answer, with what the services were asked. */
async function change(given: Call, error?: DbError) {
  const asked: unknown[] = [];
  const note = (request: unknown) => {
    asked.push(request);
    return error === undefined ? Promise.resolve() : Promise.reject(error);
  };
  const services = someServices({
    createTable: note,
    extendTable: note,
    updateTable: note,
    deleteTable: note,
  });
  await using server = await openServer({ services });
  return { answer: await send(server.address, given), asked };
}

function call(method: string, value: unknown): Call {
  const body =
    typeof value === "string"
      ? value
      : JSON.stringify({ db: "d", table: "t", ...(value as object) });
  return { method, path: PATH, headers: { "content-type": "application/json" }, body };
}

function field(name: string, type: string) {
  return { name, type };
}

suite("tables", () => {
  const taken: readonly [call: Call, status: number, request: object][] = [
    [
      call("POST", {
        tags: ["a b", "c"],
        fields: [field("f", "float64"), field("i", "int64"), field("u", "uint64")],
      }),
      200,
      {
        columns: [
          { name: "a b", kind: "tag" },
          { name: "c", kind: "tag" },
          { name: "f", kind: "float" },
          { name: "i", kind: "integer" },
          { name: "u", kind: "uinteger" },
        ],
        retentionNs: undefined,
      },
    ],
    [call("POST", { tags: [], retention_period: "1d" }), 200, { columns: [], retentionNs: DAY_NS }],
    [
      call("PATCH", { fields: [field("s", "utf8"), field("b", "bool")] }),
      200,
      {
        columns: [
          { name: "s", kind: "string" },
          { name: "b", kind: "boolean" },
        ],
      },
    ],
    [call("PUT", { retention_period: "1d", tags: ["x"] }), 200, { retentionNs: DAY_NS }],
    [call("PUT", { retention_period: null }), 200, { retentionNs: undefined }],
    [
      { method: "POST", path: `${RETENTION}?db=d&table=t&duration=24h` },
      204,
      { retentionNs: DAY_NS },
    ],
    [{ method: "DELETE", path: `${RETENTION}?db=d&table=t` }, 204, { retentionNs: undefined }],
    [
      { method: "DELETE", path: `${PATH}?db=d&table=t` },
      200,
      { hardDelete: "default", scope: "table" },
    ],
    [
      { method: "DELETE", path: `${PATH}?db=d&table=t&hard_delete_at=now&data_only=true` },
      200,
      { hardDelete: "now", scope: "rows" },
    ],
  ];
  for (const [given, status, request] of taken) {
    test(`${given.method} ${given.path} ${String(given.body ?? "")} is taken as meant`, async () => {
      const { answer, asked } = await change(given);
      assert.equal(answer.status, status);
      assert.equal(answer.body, "");
      assert.deepEqual(asked, [{ ...TARGET, ...request }]);
    });
  }

  const refused: readonly [call: Call, status: number, body: RegExp][] = [
    [{ method: "POST", path: PATH, body: "{}" }, 415, /expected: application\/json$/],
    [call("POST", "{}"), 400, /^serde json error: missing field `db`$/],
    [call("POST", { tags: undefined }), 400, /^serde json error: missing field `tags`$/],
    [call("POST", { table: "", tags: [] }), 400, /not empty/],
    [call("POST", { tags: "a" }), 400, /invalid type: string "a", expected a sequence/],
    [call("POST", { tags: [1] }), 400, /expected a string/],
    [call("POST", { tags: ["time"] }), 400, /'time' is a reserved column/],
    [call("POST", { tags: ["a"], fields: [field("a", "bool")] }), 400, /`a` stands twice/],
    [
      call("POST", { tags: [], fields: [field("a", "foobar")] }),
      400,
      /unknown variant `foobar`, expected one of `utf8`, `int64`, `uint64`, `float64`, `bool`$/,
    ],
    [call("POST", { tags: [], fields: [{ name: "a" }] }), 400, /missing field `type`/],
    [call("POST", { db: "_internal", tags: [] }), 400, /^cannot modify internal db$/],
    [call("PUT", {}), 400, /^serde json error: missing field `retention_period`$/],
    [call("PUT", { retention_period: "soon" }), 400, /expected a duration at line 1 column \d+$/],
    [{ method: "POST", path: `${RETENTION}?db=d&table=t` }, 400, /missing field `duration`/],
    [{ method: "DELETE", path: PATH }, 400, /^serde error: missing field `db`$/],
    [{ method: "DELETE", path: `${PATH}?db=d` }, 400, /^serde error: missing field `table`$/],
    [
      { method: "DELETE", path: `${PATH}?db=d&table=t&hard_delete_at=never%20ever` },
      400,
      /^serde error: hard_delete_at is `never ever`/,
    ],
    [{ method: "GET", path: PATH }, 404, /^not found$/],
  ];
  for (const [given, status, body] of refused) {
    const said = String(given.body ?? "").slice(0, 60);
    test(`${given.method} ${given.path} ${said} is refused`, async () => {
      const { answer, asked } = await change(given);
      assert.equal(answer.status, status);
      assert.match(answer.body, body);
      assert.deepEqual(asked, []);
    });
  }

  test("what is there already, is not there or has no room is told with the texts of InfluxDB 3", async () => {
    const exists = new DbError("conflict", "table_exists", "there is one");
    const missing = new DbError("not_found", "table_missing", "no such table");
    const limit = new DbError("exceeded", "table_limit", "too many tables");
    const make = call("POST", { tags: [] });
    const conflict = await change(make, exists);
    assert.equal(conflict.answer.status, 409);
    const { answer } = await change({ method: "DELETE", path: `${PATH}?db=d&table=t` }, missing);
    assert.equal(answer.status, 404);
    assert.equal(answer.body, "the requested resource was not found: t");
    const full = await change(make, limit);
    assert.equal(full.answer.status, 422);
    assert.equal(full.answer.body, '{"error":"too many tables","data":null}');
  });
});
