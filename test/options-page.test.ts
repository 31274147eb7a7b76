/**
 * Holds docs/options.md to the options of `serve`: below the mark it is what this file makes of them.
 * `REWRITE=1 npm run architecture` writes it anew.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { type OptionSpec, oldEnvNames } from "../src/cli/options.ts";
import { SERVE_OPTIONS } from "../src/cli/serve/options.ts";
import { IGNORED_OPTIONS } from "../src/cli/serve/other-options.ts";

const PAGE = "docs/options.md";
const MARK = "<!-- Below: made of the program's options; test/options-page.test.ts compares. -->\n";
const EDITION = "INFLUXDB3_ENTERPRISE_";

/** The options that do something or are checked, each in its group, then what came of older names, then what is ignored. */
function tables(): string {
  const ignored = new Set(IGNORED_OPTIONS.map(({ name }) => name));
  const shown = SERVE_OPTIONS.filter(({ name }) => !ignored.has(name));
  const groups = Map.groupBy(shown, ({ group = "" }) => group);
  return [
    ...[...groups].map(([group, specs]) =>
      table(`## ${group}`, ["option", "variable", "default", "what it does"], specs.map(cells)),
    ),
    table("## Old names, taken with a warning", ["now", "before"], shown.flatMap(oldCells)),
    `## Ignored\n\nTaken with any value, and named in one warning:\n${wrapped([...ignored].map((name) => `\`--${name}\``))}\n`,
  ].join("\n");
}

function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]) {
  return [title, "", line(heads), line(heads.map(() => "---")), ...rows.map(line), ""].join("\n");
}

function line(texts: readonly string[]): string {
  return `| ${texts.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
}

function cells(spec: OptionSpec): readonly string[] {
  const [, about = spec.about, inAbout] = /^(.*) \[default: ([^\]]+)\]$/.exec(spec.about) ?? [];
  const { default: standard = inAbout } = spec;
  return [flag(spec), spec.env === undefined ? "–" : `\`${spec.env}\``, standard ?? "–", about];
}

function flag({ name, short, value, valueOptional }: OptionSpec): string {
  const long = short === undefined ? `--${name}` : `-${short}, --${name}`;
  if (value === undefined) return `\`${long}\``;
  return valueOptional === true ? `\`${long} [${value}]\`` : `\`${long} <${value}>\``;
}

function oldCells(spec: OptionSpec): readonly (readonly string[])[] {
  const flags = (spec.old?.flags ?? []).map((name) => `\`--${name}\``);
  const envs = oldEnvNames(spec)
    .filter((name) => !name.startsWith(EDITION))
    .map((name) => `\`${name}\``);
  const names = [...flags, ...envs];
  return names.length === 0 ? [] : [[`\`--${spec.name}\``, names.join(", ")]];
}

/** `words`, joined by commas, in lines of some 130 characters. */
function wrapped(words: readonly string[]): string {
  const lines = [""];
  for (const [index, word] of words.entries()) {
    const text = index + 1 < words.length ? `${word},` : `${word}.`;
    const last = lines.at(-1) ?? "";
    if (last.length + text.length > 130) lines.push(text);
    else lines[lines.length - 1] = last === "" ? text : `${last} ${text}`;
  }
  return lines.join("\n");
}

test("docs/options.md has every option of serve as the program knows it", () => {
  const page = readFileSync(PAGE, "utf8");
  const end = page.indexOf(MARK);
  assert.ok(end > 0, "the page has the mark");
  const wanted = `${page.slice(0, end)}${MARK}\n${tables()}`;
  if (process.env["REWRITE"] === "1") writeFileSync(PAGE, wanted);
  else assert.equal(page, wanted, "REWRITE=1 npm run architecture writes it anew");
});
