import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { EMPTY_CATALOG } from "#catalog/catalog-state.ts";
import { findShown } from "./show.ts";

suite("databases as InfluxDB 3 tells of them", () => {
  test("are told with the cluster's own, whatever the case and the end of the statement", async () => {
    const shown = findShown(" Show  DATABASES ;", "x", EMPTY_CATALOG);
    assert.deepEqual(
      shown?.fields.map(({ name }) => name),
      ["iox::database", "deleted"],
    );
    const [batch] = await Array.fromAsync(shown?.batches ?? []);
    assert.equal(batch?.rowCount, 1);
    assert.partialDeepStrictEqual(batch.columns[0], { values: ["_internal"] });
  });

  test("their policies are told of all, where no database is named", async () => {
    const shown = findShown("SHOW RETENTION POLICIES", "", EMPTY_CATALOG);
    const [batch] = await Array.fromAsync(shown?.batches ?? []);
    assert.partialDeepStrictEqual(batch?.columns[2], { values: ["168h0m0s"] });
    assert.equal(findShown("SHOW RETENTION POLICIES", "x", EMPTY_CATALOG), undefined);
    assert.equal(findShown("SELECT v FROM m", "", EMPTY_CATALOG), undefined);
  });
});
