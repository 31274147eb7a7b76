import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Command } from "commander";
import { addOptions, type OptionSpec, Settings } from "../options.ts";
import { cliParams } from "./cli-params.ts";

const SPECS: readonly OptionSpec[] = [
  { name: "node-id", value: "ID", about: "", env: "NODE_ID" },
  { name: "mode", value: "MODE", about: "", default: "all" },
  { name: "without-auth", about: "" },
  { name: "aws-endpoint", value: "URL", about: "" },
  { name: "aws-secret-access-key", value: "KEY", about: "", env: "SECRET" },
  { name: "admin-token-file", value: "FILE", about: "" },
];

function paramsOf(words: readonly string[], env: Readonly<Record<string, string>> = {}): unknown {
  const command = new Command("serve").exitOverride();
  addOptions(command, SPECS, false);
  command.parse(words, { from: "user" });
  return JSON.parse(cliParams(new Settings(SPECS, command.opts(), env)));
}

suite("the options that show nodes tells of", () => {
  test("are those that the user gave, on the command line or in the environment", () => {
    assert.deepEqual(paramsOf([]), {});
    assert.deepEqual(paramsOf(["--without-auth"], { NODE_ID: "host01" }), {
      "node-id": "host01",
      "without-auth": "true",
    });
    assert.deepEqual(paramsOf(["--mode", "query"]), { mode: "query" });
  });

  test("leave out what is secret, by name and by value", () => {
    const words = ["--admin-token-file", "f", "--aws-endpoint", "http://me:pass@store:9000"];
    assert.deepEqual(paramsOf(words, { SECRET: "s3cr3t" }), {});
    assert.deepEqual(paramsOf(["--aws-endpoint", "http://store:9000"]), {
      "aws-endpoint": "http://store:9000",
    });
  });

  test("cut long values", () => {
    assert.deepEqual(paramsOf(["--mode", "x".repeat(5_000)]), { mode: "x".repeat(1_000) });
  });
});
