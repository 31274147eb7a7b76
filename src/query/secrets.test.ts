import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { withoutSecrets } from "./secrets.ts";

suite("a statement that others may see", () => {
  const cases: readonly (readonly [given: string, shown: string])[] = [
    ["CREATE USER u WITH PASSWORD 's3cret'", "CREATE USER u WITH PASSWORD [REDACTED]"],
    [
      `create user "u" with password 's3 cret' WITH ALL PRIVILEGES; SELECT 1`,
      'create user "u" with password [REDACTED] WITH ALL PRIVILEGES; SELECT 1',
    ],
    ['CREATE USER u WITH PASSWORD "s3cret" x', "CREATE USER u WITH PASSWORD [REDACTED] x"],
    [String.raw`WITH PASSWORD 's3\'cret' x`, "WITH PASSWORD [REDACTED] x"],
    ["WITH PASSWORD 's3''cret' x", "WITH PASSWORD [REDACTED] x"],
    ["WITH PASSWORD 's3cret x; y", "WITH PASSWORD [REDACTED]"],
    ["WITH PASSWORD 's3cret\\", "WITH PASSWORD [REDACTED]"],
    ["WITH PASSWORD\n/* it's */ 's3cret'", "WITH PASSWORD\n/* it's */ [REDACTED]"],
    ["WITH -- as\nPASSWORD -- it's\n's3cret'", "WITH -- as\nPASSWORD -- it's\n[REDACTED]"],
    ["WITH PASSWORD = 's3cret'", "WITH PASSWORD = [REDACTED]"],
    ["WITH PASSWORD s3cret more", "WITH PASSWORD [REDACTED]"],
    ["it's WITH PASSWORD 's3cret'", "it's WITH PASSWORD [REDACTED]"],
    ["SET PASSWORD FOR u = 's3cret'", "SET PASSWORD FOR u = [REDACTED]"],
    [`SET PASSWORD FOR "a=b" = 's3cret' x`, 'SET PASSWORD FOR "a=b" = [REDACTED] x'],
    ["SET PASSWORD FOR u 's3cret'", "SET PASSWORD FOR [REDACTED]"],
    ["SET PASSWORD FOR u = s3cret", "SET PASSWORD FOR [REDACTED]"],
    [`SET PASSWORD FOR "u = 's3cret'`, "SET PASSWORD FOR [REDACTED]"],
    [
      `SELECT a FROM m WHERE "password" = 's3cret'`,
      `SELECT a FROM m WHERE "password" = [REDACTED]`,
    ],
    [
      "CREATE USER u WITH PASSWORD [REDACTED] WITH x",
      "CREATE USER u WITH PASSWORD [REDACTED] WITH x",
    ],
    ["SET PASSWORD FOR u = [REDACTED]", "SET PASSWORD FOR u = [REDACTED]"],
    [
      "DESTINATIONS ALL 'http://u:p@h:1', 'udp://h:2', 'https://u:p@x@h/'",
      "DESTINATIONS ALL 'http://[REDACTED]@h:1', 'udp://h:2', 'https://[REDACTED]@h/'",
    ],
    ["DESTINATIONS ALL 'http://u:s3cr…", "DESTINATIONS ALL 'http://[REDACTED]@…"],
  ];
  for (const [given, shown] of cases)
    test(given, () => {
      assert.equal(withoutSecrets(given), shown);
    });

  test("is left as it is where nothing is secret in it", () => {
    for (const text of [
      "SELECT password, passwords FROM users WHERE host = 'x' AND t = 'http://h/?a=b'",
      'SELECT "password" FROM "users"',
      "WITH password AS (SELECT 1) SELECT 'x'",
      "SELECT 'é' …",
    ])
      assert.equal(withoutSecrets(text), text);
  });

  test("is found soon in whatever text", () => {
    for (const piece of ["PASSWORD/*", "PASSWORD '", "--", "/**/", "\\", "://", "PASSWORD FOR "])
      withoutSecrets(`PASSWORD ${piece.repeat(2_048 / piece.length)}`);
  });
});
