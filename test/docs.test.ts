/**
 * Holds pages of docs/ to the source: errors.md has every code with its kind and status, and none that is gone;
 * decisions/0001-dependencies.md says where each package is imported.
 */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { suite, test } from "node:test";
import { DbError, type ErrorKind } from "#base/errors.ts";
import { errorStatus } from "#http/exchange/errors.ts";
import { allowedCases } from "./e2e/conformance/allowed.ts";

/** What only tests and the simulated world run. */
const NOT_PRODUCT = /\.test\.ts$|^src\/(sim|testing|engine\/contract)\/|\/test-engine\.ts$/;
const LITERAL = /new DbError\(\s*"([a-z_]+)",\s*"([a-z0-9_]+)"/g;
const ANY = /new DbError\(\s*[^,]+,\s*([^,]+?),/g;
/** Files that name a code elsewhere than in `new DbError(…)`, and how. */
const COMPUTED: Readonly<Record<string, RegExp>> = {
  "src/engine/duckdb/child/failures.ts": /code: "([a-z0-9_]+)"/g,
  "src/http/endpoint/write.ts": /(?:wrongParameters\(\s*|v1Precision\(parameters, )"([a-z0-9_]+)"/g,
  // The server's status says what kind of refusal it was.
  "src/cli/client/connection.ts": /errorKind\(status\),\s*"([a-z0-9_]+)"/g,
  // These pass on the code of an error that was made elsewhere.
  "src/base/errors.ts": /$^/g,
  "src/ingest/flusher.ts": /$^/g,
  "src/http/endpoint/status.ts": /$^/g,
  "src/flight/sql/statements.ts": /$^/g,
};
/** A file and a title in it. */
const SCENARIO = /`([\w./-]+\.ts)` "([^"]+)"/g;
const ROW = /^\| `([a-z0-9_]+)` \| ([a-z_]+) \| (\d{3}|–) \|[^|]+\|[^|]+\|$/gm;

const files = globSync("src/**/*.ts")
  .filter((path) => !NOT_PRODUCT.test(path))
  .map((path) => ({ path, text: readFileSync(path, "utf8") }));
const rows = [...readFileSync("docs/errors.md", "utf8").matchAll(ROW)].map(
  ([, code = "", kind = "", status = ""]) => ({ code, kind, status }),
);

/** Each code of the source, with the kinds it is thrown as. */
function codesOfSource(): Map<string, Set<string>> {
  const codes = new Map<string, Set<string>>();
  const add = (code: string) => {
    const kinds = codes.get(code) ?? new Set();
    codes.set(code, kinds);
    return kinds;
  };
  for (const { path, text } of files) {
    for (const [, kind = "", code = ""] of text.matchAll(LITERAL)) add(code).add(kind);
    for (const [, code = ""] of text.matchAll(COMPUTED[path] ?? /$^/g)) add(code);
  }
  return codes;
}

suite("docs/errors.md", () => {
  const codes = codesOfSource();

  test("has every code of the source, and no other, once", () => {
    assert.deepEqual(rows.map(({ code }) => code).toSorted(), [...codes.keys()].toSorted());
  });

  test("names the kind that the source throws", () => {
    const wrong = rows.filter(({ code, kind }) => {
      const thrown = [...(codes.get(code) ?? [])];
      return thrown.some((other) => other !== kind);
    });
    assert.deepEqual(wrong, []);
  });

  test("names the status that clients get", () => {
    const wrong = rows.filter(({ code, kind, status }) => {
      if (status === "–") return false;
      return errorStatus(new DbError(kind as ErrorKind, code, "")) !== Number(status);
    });
    assert.deepEqual(wrong, []);
  });
});

test("docs/failure-scenarios.md names tests that are there", () => {
  const named = [...readFileSync("docs/failure-scenarios.md", "utf8").matchAll(SCENARIO)];
  const texts = new Map<string, string>();
  const gone = named.filter(([, path = "", title = ""]) => {
    const text = texts.get(path) ?? (existsSync(path) ? readFileSync(path, "utf8") : "");
    texts.set(path, text);
    return !text.includes(title);
  });
  assert.deepEqual(
    gone.map(([whole]) => whole),
    [],
  );
  assert.ok(named.length > 30);
});

test("a code is written where this test finds it", () => {
  const elsewhere = files.flatMap(({ path, text }) =>
    [...text.matchAll(ANY)]
      .filter(([, code = ""]) => !code.startsWith('"') && COMPUTED[path] === undefined)
      .map(([match]) => `${path}: ${match}`),
  );
  assert.deepEqual(elsewhere, []);
});

test("docs/differences.md explains each class of conformance cases that may fail", () => {
  const page = readFileSync("docs/differences.md", "utf8");
  const classes = new Set(allowedCases().values());
  assert.deepEqual(
    [...classes].filter((name) => !page.includes(`\n| \`${name}\` | `)),
    [],
  );
});

suite("docs/decisions/0001-dependencies.md", () => {
  const page = readFileSync("docs/decisions/0001-dependencies.md", "utf8");
  const { dependencies, devDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
  };

  test("names every dependency with its version", () => {
    const missing = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([name, version]) =>
        !page
          .split("\n")
          .some((line) => line.includes(`\`${name}\``) && line.includes(` ${version} |`)),
    );
    assert.deepEqual(missing, []);
  });

  for (const name of Object.keys(dependencies)) {
    test(`says where ${name} is imported`, () => {
      const places = page.split("\n").find((line) => line.startsWith(`| \`${name}\``)) ?? "";
      const strays = files
        .filter(({ text }) => text.includes(`from "${name}"`))
        .filter(({ path }) => !places.includes(path) && !places.includes(`${dirname(path)}/\``));
      assert.deepEqual(
        strays.map(({ path }) => path),
        [],
      );
    });
  }
});
