/** Statements that reach for what is not a user's: all are refused by the planner in words of its own, and node and engine go on as they were. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { Sandbox, type TestNode } from "./cluster.ts";

const SECRET = "root:x:0:0";

/** By what they reach for; one statement a line. */
const ATTACKS: Readonly<Record<string, string>> = {
  "files by table functions": `
    SELECT * FROM read_csv('/etc/passwd')
    SELECT * FROM read_csv_auto('/etc/passwd', header = false)
    SELECT * FROM read_text('/etc/passwd')
    SELECT * FROM read_blob('/etc/passwd')
    SELECT * FROM read_parquet('/tmp/*.parquet')
    SELECT * FROM parquet_scan('/tmp/x.parquet')
    SELECT * FROM parquet_metadata('/tmp/x.parquet')
    SELECT * FROM parquet_schema('/tmp/x.parquet')
    SELECT * FROM parquet_kv_metadata('/tmp/x.parquet')
    SELECT * FROM read_json('/etc/passwd')
    SELECT * FROM read_json_auto('/etc/passwd')
    SELECT * FROM read_ndjson('/etc/passwd')
    SELECT * FROM sniff_csv('/etc/passwd')
    SELECT * FROM glob('/etc/*')
    SELECT * FROM iox.read_text('/etc/passwd')
    SELECT * FROM main.read_text('/etc/passwd')
    SELECT * FROM read_text(['/etc/passwd', '/etc/group'])
    SELECT * FROM m, read_text('/etc/passwd')
    SELECT * FROM m JOIN read_text('/etc/passwd') ON true
    SELECT (SELECT content FROM read_text('/etc/passwd'))
    WITH t AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM t
    SELECT * FROM (SELECT * FROM read_text('/etc/passwd')) AS q
    SELECT * FROM m WHERE t IN (SELECT content FROM read_text('/etc/passwd'))
    SELECT 1 UNION ALL SELECT content FROM read_text('/etc/passwd')`,
  "files by names": `
    SELECT * FROM '/etc/passwd'
    SELECT * FROM "/etc/passwd"
    SELECT * FROM "/etc/passwd.csv"
    SELECT * FROM "../../../../etc/passwd"
    SELECT * FROM "file:///etc/passwd"
    SELECT * FROM "x.parquet"
    SELECT * FROM iox."/etc/passwd"
    SELECT * FROM "/proc/self/environ"`,
  network: `
    SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')
    SELECT * FROM "http://127.0.0.1:1/x.csv"
    SELECT * FROM "https://example.com/x.parquet"
    SELECT * FROM "s3://bucket/x.parquet"
    SELECT * FROM read_parquet('s3://bucket/x.parquet')
    SELECT http_get('http://127.0.0.1:1')
    ATTACH 'http://127.0.0.1:1/x.db'`,
  "statements that write or attach": `
    COPY (SELECT 1) TO '/tmp/tidelake-wall.csv'
    COPY m TO '/tmp/tidelake-wall.parquet'
    COPY m FROM '/etc/passwd'
    EXPORT DATABASE '/tmp/tidelake-wall'
    IMPORT DATABASE '/tmp/tidelake-wall'
    ATTACH '/tmp/tidelake-wall.db' AS w
    ATTACH ':memory:' AS w
    DETACH memory
    USE memory
    CREATE TABLE w AS SELECT * FROM m
    CREATE OR REPLACE TABLE m AS SELECT 1
    CREATE TEMP TABLE w (a INT)
    CREATE VIEW w AS SELECT 1
    CREATE MACRO w() AS 1
    CREATE MACRO lower(x) AS 'w'
    CREATE FUNCTION w() AS 1
    CREATE SCHEMA w
    CREATE TYPE w AS ENUM ('a')
    CREATE SEQUENCE w
    CREATE INDEX w ON m (t)
    CREATE SECRET w (TYPE s3)
    DROP TABLE m
    DROP SCHEMA main CASCADE
    ALTER TABLE m ADD COLUMN w INT
    TRUNCATE m
    DELETE FROM m
    UPDATE m SET v = 0
    INSERT INTO m VALUES (1)
    MERGE INTO m USING m AS n ON true WHEN MATCHED THEN DELETE
    VACUUM
    ANALYZE
    CHECKPOINT
    FORCE CHECKPOINT
    COMMENT ON TABLE m IS 'w'
    WITH w AS (DELETE FROM m RETURNING *) SELECT * FROM w
    WITH w AS (INSERT INTO m VALUES (1) RETURNING *) SELECT * FROM w`,
  "settings and extensions": `
    SET memory_limit = '1TB'
    SET GLOBAL threads = 1
    SET VARIABLE w = 1
    SET enable_external_access = true
    SET schema = 'x'
    RESET memory_limit
    PRAGMA database_list
    PRAGMA enable_profiling
    PRAGMA memory_limit = '1TB'
    CALL enable_logging()
    CALL pragma_version()
    INSTALL httpfs
    LOAD httpfs
    FORCE INSTALL httpfs FROM 'http://127.0.0.1:1'
    UPDATE EXTENSIONS
    SELECT current_setting('temp_directory')
    SELECT getvariable('w')
    SELECT * FROM duckdb_settings()
    SELECT * FROM duckdb_secrets()
    SELECT * FROM pragma_database_list
    SELECT set_config('a', 'b', false)
    SELECT pg_read_file('/etc/passwd')
    SELECT getenv('HOME')
    EXPLAIN COPY m TO '/tmp/tidelake-wall.csv'
    EXPLAIN ANALYZE DELETE FROM m`,
  logging: `
    SELECT * FROM enable_logging(storage='file', storage_config={'path':'/tmp/tidelake-wall'})
    SELECT * FROM enable_logging('QueryLog')
    SELECT * FROM disable_logging()
    SELECT * FROM truncate_duckdb_logs()
    SELECT write_log('w')
    SELECT * FROM duckdb_logs()`,
  "names within the engine": `
    SELECT * FROM duckdb_tables()
    SELECT * FROM duckdb_columns()
    SELECT * FROM duckdb_functions()
    SELECT * FROM duckdb_databases()
    SELECT * FROM duckdb_memory()
    SELECT * FROM duckdb_temporary_files()
    SELECT * FROM sqlite_master
    SELECT * FROM pg_catalog.pg_class
    SELECT * FROM main.m
    SELECT * FROM memory.main.m
    SELECT * FROM temp.information_schema.tables
    SELECT * FROM b1_1
    SELECT c1, c2 FROM m
    SELECT _order FROM m
    SELECT rowid FROM m
    SELECT file_row_number FROM m
    SELECT filename FROM m
    SELECT k1 FROM m
    SELECT q.c0 FROM m
    SELECT current_query()
    SELECT current_database()
    SELECT current_schemas(true)
    SELECT txid_current()
    SELECT nextval('w')
    SELECT error('tidelake:number_overflow')
    SELECT query('SELECT 1')
    SELECT * FROM query('SELECT 1')
    SELECT * FROM query_table('m')
    SELECT json_execute_serialized_sql('{}')
    SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))
    SELECT in_search_path('a', 'b')
    SELECT icu_sort_key('a', 'de')
    SELECT * FROM repeat_row(1, num_rows = 1000000000)
    SELECT * FROM test_all_types()
    SELECT stats(v) FROM m
    SELECT vector_type(v) FROM m`,
  "other users' data": `
    SELECT * FROM other.iox.secret
    SELECT * FROM other.secret
    SELECT * FROM "other"."iox"."secret"
    SELECT * FROM public.other.secret
    SELECT * FROM secret
    SELECT * FROM m JOIN other.iox.secret ON true`,
  "several statements, and text that hides them": `
    SELECT 1; SELECT 2
    SELECT 1; DROP TABLE m
    SELECT 1;;COPY m TO '/tmp/tidelake-wall.csv'
    SELECT '\\'; DROP TABLE m --'
    SELECT "v"") FROM m; DROP TABLE m --" FROM m
    SELECT * FROM m WHERE t = 'a' OR read_text('/etc/passwd') IS NULL
    SELECT E'\\x00' FROM nosuch
    PREPARE w AS SELECT 1
    EXECUTE w
    PIVOT m ON t
    UNPIVOT m ON v INTO NAME a VALUE b
    SUMMARIZE m
    DESCRIBE SELECT * FROM read_text('/etc/passwd')
    FROM read_text('/etc/passwd') SELECT content
    TABLE "/etc/passwd"
    VALUES (getenv('HOME'))
    SELECT COLUMNS('.*') FROM m
    SELECT list_transform([1], x -> getenv('HOME'))
    SELECT [getenv('HOME') FOR x IN [1]]
    SELECT * FROM m TABLESAMPLE 10%
    SELECT * FROM m ASOF JOIN m n ON m.time >= n.time`,
};

const DOUBLED = Array.from(
  { length: 40 },
  (_, i) => `t${i + 1} AS (SELECT a.v FROM t${i} a, t${i} b)`,
);

const TOO_MUCH: readonly (readonly [what: string, statement: string])[] = [
  ["parentheses", `SELECT ${"(".repeat(100_000)}1${")".repeat(100_000)}`],
  ["subqueries", `${"SELECT * FROM (".repeat(2_000)}SELECT 1${") q".repeat(2_000)}`],
  ["an expression of 100 kB", `SELECT ${"1+".repeat(50_000)}1`],
  ["calls in calls", `SELECT ${"lower(".repeat(5_000)}'a'${")".repeat(5_000)}`],
  ["NOTs", `SELECT ${"NOT ".repeat(100_000)}true`],
  ["minus signs", `SELECT ${"- ".repeat(100_000)}1`],
  ["CASE in CASE", `SELECT ${"CASE WHEN true THEN ".repeat(3_000)}1${" END".repeat(3_000)}`],
  ["a union of thousands", Array.from({ length: 20_000 }, () => "SELECT 1").join(" UNION ALL ")],
  ["tables that double", `WITH t0 AS (SELECT v FROM m), ${DOUBLED.join(", ")} SELECT * FROM t40`],
  [
    "a list of 200,000",
    `SELECT v IN (${Array.from({ length: 200_000 }, (_, i) => i).join(",")}) FROM m`,
  ],
  ["a text of 2 MB", `SELECT '${"x".repeat(2_000_000)}'`],
  ["repeat", "SELECT repeat('x', 10000000000)"],
  ["repeat in repeat", "SELECT length(repeat(repeat('x', 1000000), 1000000))"],
  ["a long pad", "SELECT lpad('x', 2000000000, 'y')"],
  ["a series without end", "SELECT count(*) FROM generate_series(1, 1000000000000)"],
  ["a list without end", "SELECT range(1, 100000000000)"],
];

suite("the wall", () => {
  let sandbox: Sandbox;
  let node: TestNode;
  let engine: number | undefined;
  before(async () => {
    sandbox = await Sandbox.open();
    node = await sandbox.start({ more: ["--query-timeout", "20s"] });
    await node.write("db", "m,t=a v=1i 1");
    await node.write("other", "secret,t=a v=1i 1");
    engine = await node.enginePid();
  });
  after(() => sandbox[Symbol.asyncDispose]());

  async function assertUnharmed(): Promise<void> {
    assert.equal(await node.enginePid(), engine, "the engine was not started again");
    assert.deepEqual(await node.rows("db", "SELECT t, v FROM m"), [{ t: "a", v: 1 }]);
  }

  for (const [what, lines] of Object.entries(ATTACKS)) {
    test(`refuses ${what}, and nothing is different after it`, async () => {
      const objects = await sandbox.objects();
      for (const line of lines.split("\n")) {
        const statement = line.trim();
        if (statement === "") continue;
        const { status, text } = await node.query("db", statement);
        assert.ok(status >= 400 && status < 500, `${statement}: ${status} ${text}`);
        assert.ok(!text.includes(SECRET), statement);
        assert.doesNotMatch(text, /Binder Error|Parser Error|Catalog Error/i, statement);
      }
      await assertUnharmed();
      assert.deepEqual(await sandbox.objects(), objects);
    });
  }

  for (const [what, statement] of TOO_MUCH) {
    test(`refuses too much: ${what}`, async () => {
      const { status, text } = await node.query("db", statement);
      assert.ok(status >= 400 && status < 500, `${status} ${text.slice(0, 200)}`);
      await assertUnharmed();
    });
  }
});
