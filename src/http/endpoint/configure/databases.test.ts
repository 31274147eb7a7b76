import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { type Call, openServer, send, someServices } from "#testing/http.ts";
import type { HttpServices } from "../../services.ts";

const PATH = "/api/v3/configure/database";
const JSON_HEADERS = { "content-type": "application/json" };

async function ask(call: Call, services: Partial<HttpServices> = {}) {
  await using server = await openServer({ services: someServices(services) });
  return await send(server.address, call);
}

/** The answer, with what the services were asked. */
async function change(call: Call, error?: DbError) {
  const asked: unknown[] = [];
  const note = (request: unknown) => {
    asked.push(request);
    return error === undefined ? Promise.resolve() : Promise.reject(error);
  };
  const answer = await ask(call, {
    createDatabase: note,
    updateDatabase: note,
    deleteDatabase: note,
  });
  return { answer, asked };
}

function update(body: string): Call {
  return { method: "PUT", path: PATH, headers: JSON_HEADERS, body };
}

function create(body: string, headers: Record<string, string> = JSON_HEADERS): Call {
  return { method: "POST", path: PATH, headers, body };
}

suite("databases", () => {
  const listings = [
    { name: "mydb", deleted: false },
    { name: "old-20250101", deleted: true },
  ];
  const lists: readonly [query: string, type: string, body: string][] = [
    ["format=json", "application/json", '[{"iox::database":"mydb"}]'],
    [
      "format=json&show_deleted=true",
      "application/json",
      '[{"iox::database":"mydb","deleted":false},{"iox::database":"old-20250101","deleted":true}]',
    ],
    ["format=csv&show_deleted=false", "text/csv", "iox::database\nmydb\n"],
  ];
  for (const [query, type, body] of lists) {
    test(`are listed with ${query}`, async () => {
      const answer = await ask(
        { path: `${PATH}?${query}` },
        {
          listDatabases: ({ showDeleted }) =>
            Promise.resolve(listings.filter(({ deleted }) => showDeleted || !deleted)),
        },
      );
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["content-type"], type);
      assert.equal(answer.body, body);
    });
  }

  test("none are an empty array", async () => {
    const answer = await ask({ path: `${PATH}?format=json` }, { listDatabases: async () => [] });
    assert.equal(answer.body, "[]");
  });

  test("a list needs a format", async () => {
    for (const path of [PATH, `${PATH}?show_deleted=true`]) {
      const answer = await ask({ path });
      assert.equal(answer.status, 400);
      assert.equal(answer.body, "serde error: missing field `format`");
    }
  });

  test("are created, with a retention period or without", async () => {
    for (const [body, expected] of [
      ['{"db":"x"}', { name: "x", retentionNs: undefined, schemaMode: "implicit" }],
      [
        '{"db":"x/weekly","retention_period":null,"schema_mode":"explicit"}',
        { name: "x/weekly", retentionNs: undefined, schemaMode: "explicit" },
      ],
      [
        '{"db":"x","retention_period":"0"}',
        { name: "x", retentionNs: undefined, schemaMode: "implicit" },
      ],
      [
        '{"db":"x","retention_period":"7d","schema_mode":"implicit"}',
        { name: "x", retentionNs: 604_800_000_000_000n, schemaMode: "implicit" },
      ],
    ] as const) {
      const { answer, asked } = await change(create(body));
      assert.equal(answer.status, 200);
      assert.equal(answer.body, "");
      assert.deepEqual(asked, [expected]);
    }
    const { answer } = await change(
      create('{"db":"x"}', { "content-type": "application/vnd.api+json; charset=utf-8" }),
    );
    assert.equal(answer.status, 200);
  });

  const wrong: readonly [call: Call, status: number, body: string | RegExp][] = [
    [create('{"db":"x"}', {}), 415, "unacceptable content-type, expected: application/json"],
    [
      create('{"db":"x"}', { "content-type": "application/jsonx" }),
      415,
      "unacceptable content-type, expected: application/json",
    ],
    [create("{}"), 400, "serde json error: missing field `db`"],
    [create('{"db":""}'), 400, '{"error":"db name cannot be empty"}'],
    [create('{"db":"a.b"}'), 400, /^{"error":"invalid character in database or rp name/],
    [create('{"db":"_internal"}'), 400, /did not start with a number or letter/],
    [
      create('{"db":"x",\n "retention_period":"soön"}'),
      400,
      'serde json error: invalid value: string "soön", expected a duration at line 2 column 27',
    ],
    [create('{"db":"x","schema_mode":"odd"}'), 400, /^serde json error: unknown variant `odd`/],
    [{ method: "DELETE", path: PATH }, 400, "serde error: missing field `db`"],
    [{ method: "DELETE", path: `${PATH}?db=_internal` }, 400, "cannot delete internal db"],
    [
      { method: "DELETE", path: `${PATH}?db=x&hard_delete_at=tomorrow` },
      400,
      /^serde error: hard_delete_at is `tomorrow`/,
    ],
    [{ method: "DELETE", path: `${PATH}?db=x&hard_delete_at=2026-02-30T00:00:00Z` }, 400, /^serde/],
    [{ method: "DELETE", path: `${PATH}?db=x&data_only=1` }, 400, /`true` or `false`/],
    [{ method: "PATCH", path: PATH, body: '{"db":"x"}' }, 404, "not found"],
    [update("{}"), 400, "serde json error: missing field `db`"],
    [update('{"db":"x"}'), 400, "serde json error: missing field `retention_period`"],
    [
      update('{"db":"x","retention_period":"soon"}'),
      400,
      /expected a duration at line 1 column 35$/,
    ],
    [{ method: "POST", path: `${PATH}/retention_period?db=x` }, 400, /missing field `duration`/],
    [
      { method: "POST", path: `${PATH}/retention_period?db=x&duration=soon` },
      400,
      /^Cannot parse the given human time: /,
    ],
    [{ method: "DELETE", path: `${PATH}/retention_period` }, 400, /missing field `db`/],
    [update('{"db":"x","retention_period":7}'), 400, /^serde json error: invalid type: integer/],
  ];
  for (const [call, status, body] of wrong) {
    test(`${call.method} ${call.path} ${String(call.body ?? "")} is refused`, async () => {
      const { answer, asked } = await change(call);
      assert.equal(answer.status, status);
      if (typeof body === "string") assert.equal(answer.body, body);
      else assert.match(answer.body, body);
      assert.deepEqual(asked, []);
    });
  }

  test("are given another retention period, or none", async () => {
    for (const [period, retentionNs] of [
      ['"30d"', 2_592_000_000_000_000n],
      ["null", undefined],
    ] as const) {
      const { answer, asked } = await change(update(`{"db":"x","retention_period":${period}}`));
      assert.equal(answer.status, 200);
      assert.equal(answer.body, "");
      assert.deepEqual(asked, [{ name: "x", retentionNs }]);
    }
    const set = await change({ method: "POST", path: `${PATH}/retention_period?db=x&duration=1w` });
    assert.equal(set.answer.status, 204);
    assert.deepEqual(set.asked, [{ name: "x", retentionNs: 604_800_000_000_000n }]);
    const cleared = await change({ method: "DELETE", path: `${PATH}/retention_period?db=x` });
    assert.deepEqual(cleared.asked, [{ name: "x", retentionNs: undefined }]);
    const missing = new DbError("not_found", "database_not_found", "database not found: x");
    const { answer } = await change(update('{"db":"x","retention_period":null}'), missing);
    assert.equal(answer.status, 404);
  });

  test("one that exists already is a conflict, one too many meets the limit", async () => {
    const conflict = await change(
      create('{"db":"x"}'),
      new DbError("conflict", "database_exists", "x exists"),
    );
    assert.equal(conflict.answer.status, 409);
    assert.equal(conflict.answer.body, "attempted to create a resource that already exists");
    const limit = await change(
      create('{"db":"x"}'),
      new DbError("exceeded", "database_limit", "Adding a new database would exceed limit"),
    );
    assert.equal(limit.answer.status, 422);
    assert.equal(
      limit.answer.body,
      '{"error":"Adding a new database would exceed limit","data":null}',
    );
  });

  test("are deleted, at once, never or at a time", async () => {
    for (const [query, hardDelete, scope = "database"] of [
      ["", "default"],
      ["&hard_delete_at=default", "default"],
      ["&hard_delete_at=never", "never"],
      ["&hard_delete_at=now&data_only=false&remove_tables=true", "now"],
      ["&hard_delete_at=now&data_only=true", "now", "rows"],
      ["&data_only=true&remove_tables=true", "default", "tables"],
      ["&hard_delete_at=2001-01-01T00:00:00Z", "now"],
      ["&hard_delete_at=2100-01-01T00:00:00.5%2B01:00", { atNs: 4_102_441_200_500_000_000n }],
    ] as const) {
      const { answer, asked } = await change({ method: "DELETE", path: `${PATH}?db=x${query}` });
      assert.equal(answer.status, 200);
      assert.deepEqual(asked, [{ name: "x", hardDelete, scope }]);
    }
  });

  test("one that does not exist cannot be deleted", async () => {
    const error = new DbError("not_found", "database_not_found", "database not found: x");
    const { answer } = await change({ method: "DELETE", path: `${PATH}?db=x` }, error);
    assert.equal(answer.status, 404);
    assert.equal(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert.equal(answer.body, "the requested resource was not found: x");
  });
});
