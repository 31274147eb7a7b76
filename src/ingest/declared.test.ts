import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { applyChanges, EMPTY_CATALOG } from "#catalog/catalog-state.ts";
import { parseText } from "#lineprotocol/rows.ts";
import type { DatabaseId, TableId } from "#model/ids.ts";
import { looksOf } from "#staging/plain-stage.ts";
import { rowCountOf } from "#staging/stage.ts";
import { SCHEMA_LIMITS } from "#testing/small-node.ts";
import { validate } from "./validate.ts";

suite("a database whose schema is declared", () => {
  const declared = applyChanges(EMPTY_CATALOG, [
    { kind: "create_database", id: 1 as DatabaseId, name: "db", schemaMode: "explicit" },
    {
      kind: "create_table",
      databaseId: 1 as DatabaseId,
      id: 1 as TableId,
      name: "m",
      columns: [
        { name: "t", kind: "tag" },
        { name: "f", kind: "float" },
      ],
    },
  ]);

  test("takes what is declared, and names what is not", () => {
    const text = "m,t=a f=1 1\nm,t=a f=1,g=2i 2\nm,u=b f=1 3\nn f=1 4\nm f=1i 5\nm f=2 6";
    const { tables: parsed } = parseText(text);
    const looks = parsed.map(looksOf);
    assert.equal(validate({ looks, parsed: undefined }, declared, "db", SCHEMA_LIMITS), undefined);
    const found = validate({ looks, parsed }, declared, "db", SCHEMA_LIMITS);
    assert.ok(found);
    assert.deepEqual(found.changes, []);
    const rest = "which uses explicit schemas;";
    assert.deepEqual(
      found.problems.first().map(({ line, message }) => [line, message]),
      [
        [
          1,
          `column 'g' (iox::column_type::field::integer) is not defined in table 'm' of database 'db', ${rest} add the column with the /api/v3/configure/table API before writing to it`,
        ],
        [
          2,
          `column 'u' (iox::column_type::tag) is not defined in table 'm' of database 'db', ${rest} add the column with the /api/v3/configure/table API before writing to it`,
        ],
        [
          3,
          `table 'n' is not defined in database 'db', ${rest} create the table with the /api/v3/configure/table API before writing to it`,
        ],
        [
          4,
          "invalid column type for column 'f', expected iox::column_type::field::float, got iox::column_type::field::integer",
        ],
      ],
    );
    assert.equal(found.problems.limitMet, false);
    assert.deepEqual(
      found.tables.map(({ rows }) => rowCountOf(rows)),
      [2],
    );
  });
});
