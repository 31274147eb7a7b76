import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { fromUtf8 } from "#base/bytes.ts";
import { plainEngine } from "#engine/plain/plain.ts";
import { HOME_ROWS, homeBlocks, homeContext } from "#testing/home.ts";
import { encodeResult } from "../result/result.ts";
import { parseStatement } from "../sql/statement.ts";
import { planStatement } from "./plan.ts";

const ANSWERS: readonly (readonly [string, ...string[]])[] = [
  [
    "select * from home order by time, room",
    String.raw`{"hum":35,"note":"a \"b\"","ok":true,"room":"Kitchen","temp":20.0,"time":"1970-01-01T00:00:00","u":7}`,
    '{"hum":36,"ok":false,"room":"Kitchen","temp":22.5,"time":"1970-01-01T00:00:01"}',
    '{"ok":true,"room":"Bath","temp":19.0,"time":"1970-01-01T00:01:01"}',
    '{"note":"ü","time":"1970-01-01T00:02:00","u":18446744073709551615}',
  ],
  [
    "select count(*), count(hum), count(distinct room) from home",
    '{"count(*)":4,"count(home.hum)":2,"count(DISTINCT home.room)":2}',
  ],
  [
    "select temp from home where time >= '1970-01-01T00:00:01Z' and room = 'Kitchen'",
    '{"temp":22.5}',
  ],
  ["select temp from home where temp = 21"],
  [
    "select room, avg(temp) as t from home group by room order by room desc",
    "{}",
    '{"room":"Kitchen","t":21.25}',
    '{"room":"Bath","t":19.0}',
  ],
  ["select room from home group by room having count(*) > 1", '{"room":"Kitchen"}'],
  [
    "select date_bin(interval '1 minute', time) as minute, sum(hum) as s from home group by 1 order by 1",
    '{"minute":"1970-01-01T00:00:00","s":71}',
    '{"minute":"1970-01-01T00:01:00"}',
    '{"minute":"1970-01-01T00:02:00"}',
  ],
  ["select distinct ok from home where ok is not null order by ok", '{"ok":false}', '{"ok":true}'],
  [
    "select hum / 2 as half, hum / 2.0 as exact from home where hum is not null order by temp desc limit 1 offset 1",
    '{"half":17,"exact":17.5}',
  ],
  ["select temp from home order by temp desc nulls last limit 2", '{"temp":22.5}', '{"temp":20.0}'],
  [
    "select time from home where room > 'C' or room is null order by time desc limit 1",
    '{"time":"1970-01-01T00:02:00"}',
  ],
  [
    "select case when temp > 20 then 'warm' else 'cold' end as c, count(*) n from home where temp is not null group by c order by n",
    '{"c":"warm","n":1}',
    '{"c":"cold","n":2}',
  ],
  [
    "select first_value(room order by time) f, last_value(room order by time desc) l, median(hum) m from home",
    '{"f":"Kitchen","l":"Kitchen","m":35}',
  ],
  ["select sum(temp) filter (where ok) as s from home", '{"s":39.0}'],
  ["select upper(room) || '!' as r from home where room like 'B%'", '{"r":"BATH!"}'],
  ["select room from home where room ~* '^kit' and time = '1970-01-01'", '{"room":"Kitchen"}'],
  ["select room from home where time in ('1970-01-01T00:01:01', '1970-01-02')", '{"room":"Bath"}'],
  ["select count(*) as n from home where time > '2020-01-01' and time < '2019-01-01'", '{"n":0}'],
  ["select count(*) as n from home where time > now() - interval '10000 years'", '{"n":4}'],
  ["select count(*) as n from home where now() + interval '10000 years' >= time", '{"n":4}'],
  [
    "select count(*) as n from home where time between now() - interval '1000 years' and now() + interval '1000 years'",
    '{"n":4}',
  ],
  ["select count(*) as n from home where not time < now() - interval '9999 years'", '{"n":4}'],
  ["select u + 1 as v from home where u < 10", '{"v":8}'],
  [
    "select time + interval '1 month 1 day' as t from home where room = 'Bath'",
    '{"t":"1970-02-02T00:01:01"}',
  ],
  [
    "select 7 / 2 as a, -7 % 3 as b, 1 / 4.0 as c, '5'::bigint + 1 as d, null as e",
    '{"a":3,"b":-1,"c":0.25,"d":6}',
  ],
  ["select name from system.nodes where running order by name", '{"name":"a"}'],
  [
    'show columns from "Mixed"',
    '{"table_catalog":"public","table_schema":"iox","table_name":"Mixed","column_name":"Host","data_type":"Dictionary(Int32, Utf8)","is_nullable":"YES"}',
    '{"table_catalog":"public","table_schema":"iox","table_name":"Mixed","column_name":"time","data_type":"Timestamp(Nanosecond, None)","is_nullable":"NO"}',
  ],
];

/** Instants that no timestamp can hold, anywhere but as a bound. */
const BEYOND_TIME: readonly string[] = [
  "select timestamp '2262-01-01' + interval '1 year' as t",
  "select timestamp '1678-01-01' - interval '1 year' as t",
  "select count(*) as n from home where time = timestamp '2262-01-01' + interval '1 year'",
  "select date_trunc('day', timestamp '2262-01-01' + interval '1 year') as t",
  "select count(*) as n from home where time > (now() - interval '1000 years') + interval '1 day'",
  "select '2262-01-01' < date_trunc('day', timestamp '2262-01-01' + interval '1 year') as b",
];

suite("answers of the plain engine", async () => {
  const context = homeContext(HOME_ROWS);
  const engine = plainEngine({ files: { load: () => Promise.reject(new Error("no files")) } });
  await engine.append(homeBlocks());

  for (const sql of BEYOND_TIME) {
    test(`"${sql}" leaves what a timestamp can hold`, async () => {
      const plan = planStatement(parseStatement(sql), context);
      const error = { kind: "invalid", code: "number_overflow" };
      const batches = engine.query(plan, new AbortController().signal);
      await assert.rejects(Array.fromAsync(batches), error);
    });
  }

  for (const [sql, ...expected] of ANSWERS) {
    test(`"${sql}" is answered`, async () => {
      const plan = planStatement(parseStatement(sql), context);
      const batches = engine.query(plan, new AbortController().signal);
      const chunks = await Array.fromAsync(encodeResult("jsonl", plan.fields, batches));
      const lines = chunks.map(fromUtf8).join("").split("\n").slice(0, -1);
      assert.deepEqual(lines, expected);
    });
  }
});
