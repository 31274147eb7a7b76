import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseBindAddress, parseServerUrl } from "./address.ts";
import { isUsageError } from "./usage.ts";

suite("addresses", () => {
  const bind: readonly [string, string][] = [
    ["127.0.0.1:8181", "127.0.0.1:8181"],
    [":8282", "0.0.0.0:8282"],
    ["localhost", "localhost:8181"],
    ["http://localhost:8282", "localhost:8282"],
    ["http://host01:8282/", "host01:8282"],
    ["[::1]:0", "[::1]:0"],
    ["[::]", "[::]:8181"],
    ["0.0.0.0:65535", "0.0.0.0:65535"],
  ];
  for (const [text, address] of bind) {
    test(`binding to "${text}" listens on ${address}`, () =>
      assert.equal(parseBindAddress(text), address));
  }
  for (const text of [
    "https://x:1",
    "a b:1",
    "x:99999",
    "x:",
    "x:-1",
    "::1",
    "[::1",
    "ftp://x:1",
    "http://x:1/path",
    "8181",
  ]) {
    test(`binding to "${text}" is refused`, () =>
      assert.throws(() => parseBindAddress(text), isUsageError));
  }

  const servers: readonly [string, string][] = [
    ["http://127.0.0.1:8181", "http://127.0.0.1:8181"],
    ["http://127.0.0.1:8181/", "http://127.0.0.1:8181"],
    ["https://example.org", "https://example.org"],
    ["host02:8282", "http://host02:8282"],
    ["localhost", "http://localhost:8181"],
    [":8282", "http://127.0.0.1:8282"],
    ["[::1]:8181", "http://[::1]:8181"],
  ];
  for (const [text, url] of servers) {
    test(`the server "${text}" is at ${url}`, () => assert.equal(parseServerUrl(text), url));
  }
  for (const text of ["", "ftp://x", "http://", "a b", "x:70000"]) {
    test(`the server "${text}" is refused`, () =>
      assert.throws(() => parseServerUrl(text), isUsageError));
  }
});
