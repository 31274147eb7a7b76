import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { AnsweringServer } from "../testing/answering.ts";
import { run } from "../testing/run.ts";

suite("commands about databases and tables", () => {
  let server: AnsweringServer;
  before(async () => {
    server = await AnsweringServer.open();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  const sent: readonly [words: string, line: string, body: object | string, out: string][] = [
    [
      "create table home -d d --tags room,floor --fields temp:float64,n:int64 -f a:b:bool",
      "POST /api/v3/configure/table",
      {
        db: "d",
        table: "home",
        tags: ["room", "floor"],
        fields: [
          { name: "temp", type: "float64" },
          { name: "n", type: "int64" },
          { name: "a:b", type: "bool" },
        ],
      },
      'Table "d"."home" created successfully',
    ],
    [
      "create table home -d d --retention-period 30d",
      "POST /api/v3/configure/table",
      { db: "d", table: "home", tags: [], fields: [], retention_period: "30d" },
      'Table "d"."home" created successfully',
    ],
    [
      "update table home -d d -r none",
      "PUT /api/v3/configure/table",
      { db: "d", table: "home", retention_period: null },
      'Table "d"."home" updated successfully',
    ],
    [
      "delete table home -d d -y --hard-delete now --data-only",
      "DELETE /api/v3/configure/table?db=d&table=home&hard_delete_at=now&data_only=true",
      "",
      'Table "d"."home" deleted successfully',
    ],
    [
      "create database d --schema-mode explicit",
      "POST /api/v3/configure/database",
      { db: "d", schema_mode: "explicit" },
      'Database "d" created successfully',
    ],
    [
      "update database -d d --retention-period 1y",
      "PUT /api/v3/configure/database",
      { db: "d", retention_period: "1y" },
      'Database "d" updated successfully',
    ],
    [
      "delete database d -y --data-only --remove-tables",
      "DELETE /api/v3/configure/database?db=d&data_only=true&remove_tables=true",
      "",
      'Database "d" deleted successfully',
    ],
  ];
  for (const [words, line, body, out] of sent) {
    test(words, async () => {
      const result = await server.call(words.split(" "), 200, "");
      assert.equal(result.error, "");
      assert.equal(result.exitCode, 0);
      assert.equal(result.out, `${out}\n`);
      assert.equal(result.request?.line, line);
      const said = result.request.body;
      assert.deepEqual(typeof body === "string" ? said : JSON.parse(said), body);
    });
  }

  const wrong: readonly [words: string, exitCode: number, error: RegExp][] = [
    ["create table home", 2, /option --database/],
    ["create table -d d", 2, /missing required argument 'NAME'/],
    ["create table home -d d -f temp", 2, /'temp' is no field: give name:type/],
    ["create table home -d d -f temp:double", 2, /'temp:double' is no field/],
    ["update table home -d d", 2, /option --retention-period/],
    ["update database -d d", 2, /option --retention-period/],
    ["delete table home -d d", 1, /Cannot proceed without confirmation/],
  ];
  for (const [words, exitCode, error] of wrong) {
    test(`${words} is refused`, async () => {
      const result = await run(words.split(" "), { input: "no\n" });
      assert.equal(result.exitCode, exitCode);
      assert.match(result.error, error);
    });
  }

  test("what the server refuses is told", async () => {
    const words = "delete table home -d d -y".split(" ");
    const result = await server.call(words, 404, "the requested resource was not found: home");
    assert.equal(result.exitCode, 1);
    assert.match(result.error, /^Delete command failed: .*\[404 Not Found\]: the requested res/);
  });
});
