/** What Telegraf writes and Grafana asks, request by request as they send it, against a whole node. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Sandbox, type TestNode } from "./cluster.ts";

const FORM = { "content-type": "application/x-www-form-urlencoded" };
/** Midnight of 2020-08-01, in the milliseconds that Grafana asks by. */
const START_MS = 1_596_240_000_000;

let sandbox: Sandbox;
let node: TestNode;
before(async () => {
  sandbox = await Sandbox.open();
  node = await sandbox.start({});
});
after(async () => {
  await node.stop();
  await sandbox[Symbol.asyncDispose]();
});

suite("Telegraf", () => {
  const agent = { "user-agent": "Telegraf/1.30.0 Go/1.22.1" };
  const packed = {
    ...agent,
    "content-type": "text/plain; charset=utf-8",
    "content-encoding": "gzip",
  };
  const lines = `cpu,cpu=cpu0,host=h1 usage_idle=99.5,count=3i ${timeNs(0)}\n`;

  test("of InfluxDB 1 makes its database, at each start, and writes", async () => {
    for (let start = 0; start < 2; start++) {
      const made = await node.post("/query", form('CREATE DATABASE "telegraf"'), {
        ...FORM,
        ...agent,
      });
      assert.equal(made.status, 200);
      assert.deepEqual(JSON.parse(made.text), { results: [{ statement_id: 0 }] });
    }
    for (const path of ["/write?db=telegraf", "/write?consistency=any&db=telegraf&rp=autogen"])
      assert.equal((await node.post(path, gzip(lines), packed)).status, 204, path);
    assert.partialDeepStrictEqual(await node.rows("telegraf", "SELECT * FROM cpu"), [
      { cpu: "cpu0", host: "h1", usage_idle: 99.5, count: 3 },
    ]);
  });

  test("of InfluxDB 1 hears in its words what it must not send again", async () => {
    for (const [text, pattern] of [
      ['cpu,host=h1 usage_idle="x"', /^partial write: field type conflict: .* dropped=1$/],
      ["cpu,host=h1 usage_idle=", /^unable to parse /],
    ] as const) {
      const { status, text: body } = await node.post("/write?db=telegraf", gzip(text), packed);
      assert.equal(status, 400);
      assert.match((JSON.parse(body) as { error: string }).error, pattern);
    }
  });

  test("of InfluxDB 2 writes into its bucket, and hears what is wrong as JSON", async () => {
    const headers = { ...packed, authorization: "Token any" };
    const path = "/api/v2/write?bucket=metrics&org=influxdata";
    assert.equal((await node.post(path, gzip(lines), headers)).status, 204);
    const bad = await node.post(path, gzip('cpu,host=h1 usage_idle="x"'), headers);
    assert.equal(bad.status, 400);
    const { code, message } = JSON.parse(bad.text) as { code: string; message: string };
    assert.equal(code, "invalid");
    assert.match(message, /usage_idle/);
    const rows = await node.rows("metrics", "SELECT usage_idle FROM cpu");
    assert.deepEqual(rows, [{ usage_idle: 99.5 }]);
  });
});

suite("Grafana, with InfluxQL", () => {
  before(async () => {
    await node.write(
      "grafana",
      `cpu,host=h1,dc=x idle=90,busy=10 ${timeNs(0)}
cpu,host=h1,dc=x idle=80 ${timeNs(5)}
cpu,host=h2,dc=y idle=50 ${timeNs(20)}
mem,host=h1 free=7i ${timeNs(0)}`,
    );
  });

  const range = `time >= ${START_MS}ms and time <= ${START_MS + 20_000}ms`;
  const times = [START_MS, START_MS + 10_000, START_MS + 20_000];
  const policies = ["name", "duration", "shardGroupDuration", "replicaN", "default"];
  const cases: readonly [text: string, series: readonly object[]][] = [
    [
      'SHOW RETENTION POLICIES on "grafana"',
      [{ columns: policies, values: [["autogen", "0s", "168h0m0s", 1, true]] }],
    ],
    [
      "SHOW measurements",
      [{ name: "measurements", columns: ["name"], values: [["cpu"], ["mem"]] }],
    ],
    [
      "SHOW MEASUREMENTS WITH MEASUREMENT =~ /(?i)CP/ LIMIT 100",
      [{ name: "measurements", columns: ["name"], values: [["cpu"]] }],
    ],
    ["SHOW MEASUREMENTS LIMIT 1", [{ name: "measurements", columns: ["name"], values: [["cpu"]] }]],
    [
      'SHOW FIELD KEYS FROM "cpu"',
      [
        {
          name: "cpu",
          columns: ["fieldKey", "fieldType"],
          values: [
            ["busy", "float"],
            ["idle", "float"],
          ],
        },
      ],
    ],
    [
      'SHOW TAG KEYS FROM "cpu"',
      [{ name: "cpu", columns: ["tagKey"], values: [["dc"], ["host"]] }],
    ],
    [
      'SHOW TAG VALUES FROM "autogen"."cpu" WITH KEY = "host" WHERE "dc" = \'y\'',
      [{ name: "cpu", columns: ["key", "value"], values: [["host", "h2"]] }],
    ],
    ['SHOW TAG VALUES FROM "gone" WITH KEY = "host"', []],
    [
      `SELECT mean("idle") FROM "cpu" WHERE ${range} GROUP BY time(10s), "host"::tag fill(null)`,
      [meanOf({ host: "h1" }, [85, null, null]), meanOf({ host: "h2" }, [null, null, 50])],
    ],
    [
      `SELECT mean("idle") FROM "autogen"."cpu" WHERE ("host"::tag =~ /^h[13]$/ OR "host" = 'h9') AND ${range} GROUP BY time(10s) fill(previous) ORDER BY time DESC LIMIT 2 tz('Europe/Paris')`,
      [
        {
          name: "cpu",
          columns: ["time", "mean"],
          values: [
            [times[2], null],
            [times[1], null],
          ],
        },
      ],
    ],
    [
      `SELECT last("idle") / 100 AS "share", max("busy") FROM /^c/ WHERE ${range} GROUP BY "host" SLIMIT 1`,
      [
        {
          name: "cpu",
          tags: { host: "h1" },
          columns: ["time", "share", "max"],
          values: [[START_MS, 0.8, 10]],
        },
      ],
    ],
  ];

  function meanOf(tags: object, values: readonly (number | null)[]): object {
    return {
      name: "cpu",
      tags,
      columns: ["time", "mean"],
      values: values.map((value, i) => [times[i], value]),
    };
  }

  for (const [text, series] of cases) {
    test(`asks ${text}`, async () => {
      const asked = `db=grafana&epoch=ms`;
      const answers = [
        await node.get(`/query?${asked}&${form(text)}`),
        await node.post(`/query?${asked}`, form(text), FORM),
      ];
      const result = { statement_id: 0, ...(series.length === 0 ? {} : { series }) };
      for (const answer of answers) {
        assert.equal(answer.status, 200);
        assert.deepEqual(JSON.parse(answer.text), { results: [result] });
      }
    });
  }

  test("is told what is wrong with a question", async () => {
    const answer = await node.post(
      "/query?db=grafana&epoch=ms",
      form('SELECT mean("idle" FROM "cpu"'),
      FORM,
    );
    assert.equal(answer.status, 400);
    const { error } = JSON.parse(answer.text) as { error: string };
    assert.match(error, /^error parsing query: found FROM, expected \)/);
    const wrong = 'SELECT nothing("idle") FROM "cpu"; SHOW TAG KEYS FROM "mem"';
    const { status, text } = await node.get(`/query?db=grafana&${form(wrong)}`);
    assert.equal(status, 200);
    assert.partialDeepStrictEqual(JSON.parse(text), {
      results: [{ statement_id: 0, error: "undefined function nothing()" }],
    });
  });
});

function form(text: string): string {
  return new URLSearchParams({ q: text }).toString();
}

function gzip(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(text));
}

/** The time `seconds` after the start, as line protocol has it. */
function timeNs(seconds: number): string {
  return `${START_MS + 1_000 * seconds}000000`;
}
