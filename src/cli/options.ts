import { Command, Option } from "commander";
import { assert } from "#base/errors.ts";
import { isUsageError, usageError } from "./values/usage.ts";

/** An option of a command, as the command line and the environment spell it. */
export interface OptionSpec {
  /** The long name without dashes. */
  readonly name: string;
  readonly short?: string;
  /** What its value is called in the help; without it the option is a switch. */
  readonly value?: string;
  /** A value that may be left out: `value` is then only what it is called. */
  readonly valueOptional?: boolean;
  readonly about: string;
  readonly env?: string;
  /** The text that stands in when nothing is given; parsed like any other. */
  readonly default?: string;
  /** Several uses add up, joined by commas. */
  readonly repeats?: boolean;
  /** The heading it stands under in the help. */
  readonly group?: string;
  /** Its value is never shown. */
  readonly secret?: boolean;
  /** Shown by --help-all alone. */
  readonly advanced?: boolean;
  /** Names it had before: taken with a warning. */
  readonly old?: OldNames;
}

export interface OldNames {
  readonly flags?: readonly string[];
  readonly envs?: readonly string[];
  /** Appended to a value that is a bare number. */
  readonly bareUnit?: string;
}

/** Where a value came from. */
type Source = "flag" | "env" | "default";

interface Setting {
  readonly text: string;
  readonly source: Source;
  /** How to name the source in an error. */
  readonly from: string;
  /** What to say about an old name. */
  readonly warning?: string;
}

const TRUE_TEXTS: readonly string[] = ["true", "1", "yes", "y", "on", "t"];
const FALSE_TEXTS: readonly string[] = ["false", "0", "no", "n", "off", "f"];

/** Teaches `command` the options of `specs`; `showAdvanced` puts all of them into its help. */
export function addOptions(
  command: Command,
  specs: readonly OptionSpec[],
  showAdvanced: boolean,
): void {
  for (const spec of specs) {
    const option = new Option(flagsText(spec), aboutText(spec));
    if (spec.group !== undefined) option.helpGroup(`${spec.group}:`);
    if (spec.repeats === true) {
      option.argParser((text: string, before: string | undefined) =>
        before === undefined ? text : `${before},${text}`,
      );
    }
    option.hideHelp(spec.advanced === true && !showAdvanced);
    command.addOption(option);
    for (const name of spec.old?.flags ?? []) {
      const before = new Option(flagsText({ ...spec, name, short: "" })).hideHelp();
      if (spec.group !== undefined) before.helpGroup(`${spec.group}:`);
      command.addOption(before);
    }
  }
}

/** Reads a command line of options alone, without a program around it; throws where it cannot be read, and prints nothing. */
export function readWords(
  specs: readonly OptionSpec[],
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): { readonly settings: Settings; readonly operands: readonly string[] } {
  const command = new Command()
    .exitOverride()
    .allowExcessArguments()
    .configureOutput({ writeErr: () => undefined });
  addOptions(command, specs, false);
  command.parse(words, { from: "user" });
  return { settings: new Settings(specs, command.opts(), env), operands: command.args };
}

/** The settings of one run of a command: flags first, then the environment, then defaults. */
export class Settings {
  /** Old names that were used, one line each. */
  readonly warnings: readonly string[];
  readonly #parsed: Readonly<Record<string, unknown>>;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #specs: ReadonlyMap<string, OptionSpec>;
  readonly #settings: ReadonlyMap<string, Setting>;

  constructor(
    specs: readonly OptionSpec[],
    parsed: Readonly<Record<string, unknown>>,
    env: Readonly<Record<string, string | undefined>>,
  ) {
    const warnings: string[] = [];
    const settings = new Map<string, Setting>();
    for (const spec of specs) {
      const [setting, ...others] = candidates(spec, parsed, env);
      if (setting === undefined) continue;
      settings.set(spec.name, setting);
      warnings.push(...[setting, ...others].flatMap(({ warning }) => warning ?? []));
    }
    this.#parsed = parsed;
    this.#env = env;
    this.warnings = warnings;
    this.#specs = new Map(specs.map((spec) => [spec.name, spec]));
    this.#settings = settings;
  }

  /** These settings, with `defaults` for options that have no value. */
  withDefaults(defaults: Readonly<Record<string, string>>): Settings {
    const specs = [...this.#specs.values()].map((spec) => {
      const text = defaults[spec.name];
      return text === undefined || this.find(spec.name) !== undefined
        ? spec
        : { ...spec, default: text };
    });
    return new Settings(specs, this.#parsed, this.#env);
  }

  /** The value of option `name`, undefined when it has none. */
  find(name: string): string | undefined {
    assert(this.#specs.has(name), `no option is called ${name}`);
    return this.#settings.get(name)?.text;
  }

  /** The flags of the command line, as words under their present names. */
  flags(): readonly { readonly name: string; readonly words: readonly string[] }[] {
    return [...this.#specs.values()].flatMap((spec) => {
      const { name } = spec;
      const setting = this.#settings.get(name);
      if (setting?.source !== "flag") return [];
      const words = spec.value === undefined ? [`--${name}`] : [`--${name}`, setting.text];
      return [{ name, words }];
    });
  }

  /** The values that the command line or the environment gave, by the present names of their options. */
  given(): ReadonlyMap<string, string> {
    const given = [...this.#settings].filter(([, { source }]) => source !== "default");
    return new Map(given.map(([name, { text }]) => [name, text]));
  }

  /** Whether the value of `name` was given, and how. */
  source(name: string): Source | undefined {
    return this.#settings.get(name)?.source;
  }

  /** The value of `name`; a usage error when it has none. */
  require(name: string): string {
    const text = this.find(name);
    if (text !== undefined) return text;
    const spec = this.#specs.get(name);
    const env = spec?.env === undefined ? "" : ` (or the variable ${spec.env})`;
    throw usageError(`the option ${longText(spec)}${env} is required`);
  }

  /** The value of `name` as `parse` reads it; a usage error names option and value when it does not. */
  parse<T>(name: string, parse: (text: string) => T): T {
    const text = this.require(name);
    try {
      return parse(text);
    } catch (error) {
      if (!isUsageError(error)) throw error;
      const from = this.#settings.get(name)?.from ?? "";
      const shown = this.#specs.get(name)?.secret === true ? "" : ` '${text}'`;
      throw usageError(`invalid value${shown} for '${from}': ${error.message}`, error);
    }
  }

  /** As `parse`, undefined when `name` has no value. */
  parseIfGiven<T>(name: string, parse: (text: string) => T): T | undefined {
    return this.find(name) === undefined ? undefined : this.parse(name, parse);
  }

  /** The value of `name`, one of `choices`. */
  choose<T extends string>(name: string, choices: readonly T[]): T {
    return this.parse(name, (text) => chooseOf(text, choices));
  }

  /** Whether the switch `name` is on. */
  isOn(name: string): boolean {
    if (this.find(name) === undefined) return false;
    return this.parse(name, (text) => {
      const lower = text.toLowerCase();
      if (TRUE_TEXTS.includes(lower)) return true;
      if (FALSE_TEXTS.includes(lower)) return false;
      throw usageError("use true or false");
    });
  }
}

/** `text` when it is one of `choices`; a usage error that names them otherwise. */
export function chooseOf<T extends string>(text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw usageError(`possible values are ${choices.join(", ")}`);
  return found;
}

/** What the command line, the environment and the table say of an option, the strongest word first. */
function* candidates(
  spec: OptionSpec,
  parsed: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
): Generator<Setting> {
  yield* flagCandidates(spec, parsed);
  yield* envCandidates(spec, env);
  if (spec.default !== undefined) {
    yield { text: spec.default, source: "default", from: longText(spec) };
  }
}

function* flagCandidates(
  spec: OptionSpec,
  parsed: Readonly<Record<string, unknown>>,
): Generator<Setting> {
  const own = flagText(spec.name, parsed);
  if (own !== undefined) yield { text: own, source: "flag", from: longText(spec) };
  for (const name of spec.old?.flags ?? []) {
    const text = flagText(name, parsed);
    if (text === undefined) continue;
    const warning = `--${name} is an old name; use --${spec.name}`;
    yield { text: withUnit(text, spec), source: "flag", from: `--${name}`, warning };
  }
}

function* envCandidates(
  spec: OptionSpec,
  env: Readonly<Record<string, string | undefined>>,
): Generator<Setting> {
  if (spec.env === undefined) return;
  const own = nonEmpty(env[spec.env]);
  if (own !== undefined) yield { text: own, source: "env", from: spec.env };
  for (const name of oldEnvNames(spec)) {
    const text = nonEmpty(env[name]);
    if (text === undefined) continue;
    const warning = `${name} is an old name; use ${spec.env}`;
    yield { text: withUnit(text, spec), source: "env", from: name, warning };
  }
}

/** A value under an old name, with the unit that bare numbers had there. */
function withUnit(text: string, { old }: OptionSpec): string {
  return /^\d+$/.test(text) ? `${text}${old?.bareUnit ?? ""}` : text;
}

/** Names that the variable of an option had before, the edition's own prefix among them. */
export function oldEnvNames(spec: OptionSpec): readonly string[] {
  const named = [
    ...(spec.old?.envs ?? []),
    ...(spec.old?.flags ?? []).map((flag) => envName(flag)),
  ];
  if (spec.env?.startsWith("INFLUXDB3_") === true) {
    named.push(spec.env.replace("INFLUXDB3_", "INFLUXDB3_ENTERPRISE_"));
  }
  return named;
}

/** The variable of an option that follows the rule. */
export function envName(option: string): string {
  return `INFLUXDB3_${option.toUpperCase().replaceAll("-", "_")}`;
}

/** What the command line says of option `name`; `true` for a switch. */
function flagText(name: string, parsed: Readonly<Record<string, unknown>>): string | undefined {
  const option = new Option(`--${name}`);
  const value = parsed[option.attributeName()];
  // Of an option `--no-x` commander makes an `x` that is true until the option is given.
  if (option.negate) return value === false ? "true" : undefined;
  if (value === true) return "true";
  return typeof value === "string" ? value : undefined;
}

/** An empty variable is as good as none. */
function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function flagsText({ name, short, value, valueOptional }: OptionSpec): string {
  const long = short === undefined || short === "" ? `--${name}` : `-${short}, --${name}`;
  if (value === undefined) return long;
  return valueOptional === true ? `${long} [${value}]` : `${long} <${value}>`;
}

function longText(spec: OptionSpec | undefined): string {
  if (spec === undefined) return "";
  return spec.value === undefined ? `--${spec.name}` : `--${spec.name} <${spec.value}>`;
}

function aboutText({ about, default: standard, env }: OptionSpec): string {
  const notes = [
    ...(standard === undefined ? [] : [`[default: ${standard}]`]),
    ...(env === undefined ? [] : [`[env: ${env}]`]),
  ];
  return [about, ...notes].join(" ");
}
