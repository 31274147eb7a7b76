import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseInfluxQl } from "../parse/parse.ts";
import { refuseOldStatement } from "./statement.ts";

function refuse(text: string, database: string | undefined): void {
  for (const { statement } of parseInfluxQl(text)) refuseOldStatement(statement, database);
}

suite("statements that InfluxDB 3 refuses", () => {
  const REFUSED: readonly (readonly [text: string, message: RegExp])[] = [
    ["SHOW MEASUREMENTS WITH MEASUREMENT = /m/", /expected string but got regex/],
    ["SHOW MEASUREMENTS WITH MEASUREMENT =~ m", /expected regex but got string/],
    ["SHOW MEASUREMENTS WITH MEASUREMENT = rp.m", /retention policy in from clause/],
    ["SHOW MEASUREMENTS WITH MEASUREMENT =~ d.rp./m/", /database name in from clause/],
    ["SHOW FIELD KEYS FROM rp.m", /retention policy in from clause/],
    ["SHOW TAG KEYS FROM n, d..m", /database name in from clause/],
    ["SHOW TAG VALUES ON other WITH KEY = t", /the database 'd', .* ON "other"/],
    ["SHOW RETENTION POLICIES ON other", /the database 'd', .* ON "other"/],
  ];
  for (const [text, message] of REFUSED)
    test(`${text} is refused`, () => assert.throws(() => refuse(text, "d"), { message }));

  test("those that it answers are not", () => {
    refuse("SHOW MEASUREMENTS ON d WITH MEASUREMENT =~ /m/; SHOW MEASUREMENTS", "d");
    refuse("SHOW TAG KEYS FROM m; SHOW DATABASES; SELECT v FROM d.rp.m; SHOW USERS", "d");
    refuse("SHOW FIELD KEYS ON other FROM m", undefined);
  });
});
