import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type OptionSpec, readWords, type Settings } from "./options.ts";
import { isUsageError } from "./values/usage.ts";

const SPECS: readonly OptionSpec[] = [
  { name: "size", value: "SIZE", about: "A size", env: "INFLUXDB3_SIZE", default: "1mb" },
  {
    name: "file-cache-size",
    value: "SIZE",
    about: "A size",
    env: "INFLUXDB3_FILE_CACHE_SIZE",
    old: { flags: ["parquet-cache"], envs: ["CACHE"], bareUnit: "mb" },
  },
  { name: "mode", value: "MODE", about: "Modes", repeats: true },
  { name: "quiet", short: "q", about: "A switch", env: "INFLUXDB3_QUIET" },
  { name: "no-sync", about: "A switch that says no" },
  { name: "hidden", value: "VALUE", valueOptional: true, about: "Rare", advanced: true },
];

function read(words: readonly string[], env: Record<string, string> = {}): Settings {
  return readWords(SPECS, words, env).settings;
}

suite("settings", () => {
  test("a flag beats a variable, a variable beats a default", () => {
    const env = { INFLUXDB3_SIZE: "2mb" };
    assert.equal(read(["--size", "3mb"], env).find("size"), "3mb");
    assert.equal(read([], env).find("size"), "2mb");
    assert.equal(read([]).find("size"), "1mb");
    assert.equal(read([], { INFLUXDB3_SIZE: "" }).find("size"), "1mb");
  });

  test("flags that were given come back as words, under their present names", () => {
    const words = ["--parquet-cache", "7", "-q", "--no-sync", "--mode", "a", "--mode", "b"];
    assert.deepEqual(
      read(words, { INFLUXDB3_SIZE: "2mb" })
        .flags()
        .flatMap((flag) => flag.words),
      ["--file-cache-size", "7mb", "--mode", "a,b", "--quiet", "--no-sync"],
    );
  });

  test("a value knows where it came from", () => {
    assert.equal(read(["--size", "3mb"]).source("size"), "flag");
    assert.equal(read([], { INFLUXDB3_SIZE: "2mb" }).source("size"), "env");
    assert.equal(read([]).source("size"), "default");
    assert.equal(read([]).source("file-cache-size"), undefined);
  });

  const old: readonly [string, readonly string[], Record<string, string>, string, number][] = [
    ["an old flag", ["--parquet-cache", "7"], {}, "7mb", 1],
    ["an old variable of a flag", [], { INFLUXDB3_PARQUET_CACHE: "8" }, "8mb", 1],
    ["an old variable", [], { CACHE: "9gb" }, "9gb", 1],
    ["the edition's variable", [], { INFLUXDB3_ENTERPRISE_FILE_CACHE_SIZE: "5mb" }, "5mb", 1],
    [
      "a new variable beside an old one",
      [],
      { INFLUXDB3_FILE_CACHE_SIZE: "1gb", CACHE: "2gb" },
      "1gb",
      1,
    ],
    [
      "a new flag beside an old one",
      ["--file-cache-size", "1gb", "--parquet-cache", "2"],
      {},
      "1gb",
      1,
    ],
    ["a new flag alone", ["--file-cache-size", "5"], {}, "5", 0],
  ];
  for (const [name, words, env, text, warningCount] of old) {
    test(`${name} gives "${text}" and ${warningCount} warnings`, () => {
      const settings = read(words, env);
      assert.equal(settings.find("file-cache-size"), text);
      assert.equal(settings.warnings.length, warningCount);
    });
  }

  test("a warning names both names", () => {
    assert.deepEqual(read(["--parquet-cache", "7"]).warnings, [
      "--parquet-cache is an old name; use --file-cache-size",
    ]);
  });

  test("an option that repeats joins its values by commas", () => {
    assert.equal(read(["--mode", "a", "--mode", "b,c"]).find("mode"), "a,b,c");
  });

  test("switches are on when they are given, or their variable says so", () => {
    assert.equal(read([]).isOn("quiet"), false);
    assert.equal(read(["-q"]).isOn("quiet"), true);
    assert.equal(read([], { INFLUXDB3_QUIET: "TRUE" }).isOn("quiet"), true);
    assert.equal(read([], { INFLUXDB3_QUIET: "0" }).isOn("quiet"), false);
    assert.equal(read([]).isOn("no-sync"), false);
    assert.equal(read(["--no-sync"]).isOn("no-sync"), true);
    assert.throws(() => read([], { INFLUXDB3_QUIET: "maybe" }).isOn("quiet"), isUsageError);
  });

  test("a value that may be left out is then true", () => {
    assert.equal(read(["--hidden"]).find("hidden"), "true");
    assert.equal(read(["--hidden", "x"]).find("hidden"), "x");
  });

  test("a missing value that is required is a usage error that names option and variable", () => {
    assert.throws(() => read([]).require("file-cache-size"), {
      code: "usage",
      message:
        "the option --file-cache-size <SIZE> (or the variable INFLUXDB3_FILE_CACHE_SIZE) is required",
    });
  });

  test("a value that cannot be read is a usage error that names where it stands", () => {
    const settings = read(["--mode", "x"], { INFLUXDB3_SIZE: "huge" });
    assert.throws(() => settings.choose("mode", ["a", "b"]), {
      code: "usage",
      message: "invalid value 'x' for '--mode <MODE>': possible values are a, b",
    });
    assert.throws(() => settings.choose("size", ["a"]), /'huge' for 'INFLUXDB3_SIZE'/);
  });

  test("a default that is added later counts where nothing was given", () => {
    const settings = read(["--size", "3mb"]).withDefaults({ size: "9mb", mode: "all" });
    assert.equal(settings.find("size"), "3mb");
    assert.equal(settings.find("mode"), "all");
  });
});
