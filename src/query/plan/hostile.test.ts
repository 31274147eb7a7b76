import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { DbError } from "#base/errors.ts";
import { plainEngine } from "#engine/plain/plain.ts";
import type { AggregateCall, Expression } from "#model/query/expression.ts";
import { childrenOf } from "#model/query/expression.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import { typeText } from "#model/query/type-text.ts";
import { isTimestamp, sameType, type ValueType } from "#model/query/value-type.ts";
import { inputsOf } from "#model/query/walk.ts";
import { homeContext } from "#testing/home.ts";
import { parseStatement } from "../sql/statement.ts";
import { planStatement } from "./plan.ts";

const context = homeContext([]);
const engine = plainEngine({ files: { load: () => Promise.reject(new Error("no files")) } });
const SAMPLES = globSync(join(import.meta.dirname, "testdata/*.txt")).flatMap((path) =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("select")),
);
/** `%n` is a number, `%t` a text, `%b` a condition, `%i` an instant, `%a` anything. */
const FORMS = {
  n: `hum; u; temp; 1; 0; -2.5; 18446744073709551615; null; $skip; (%n + %n); (%n - %n); (%n * %n); (%n / %n); (%n %% %n);
    -%n; abs(%n); round(%n, 1); power(%n, %n); log(%n); length(%t); coalesce(%n, %n); greatest(%n, %n); least(%n, %n);
    nullif(%n, %n); date_part('hour', %i); to_unixtime(%i); try_cast(%a as bigint); (%a)::double; case when %b then %n end`,
  t: `room; note; 'x'; '5'; 'a%'; $room; null; (%t || %a); concat(%a, %t); upper(%t); substr(%t, %n); left(%t, 2);
    replace(%t, %t, %t); trim(%t); nullif(%t, %t); coalesce(%t, %n); nvl2(%a, %t, %t); (%a)::varchar`,
  b: `ok; true; null; (%b and %b); (%b or %b); (not %b); (%n = %n); (%n < %n); (%n >= %n); (%t <> %t); (%t = %n);
    (%i < %i); (%i >= %i); (%a is null); (%b is not true); (%n is distinct from %n); (%n between %n and %n);
    (%i between %i and %i); (%t in (%t, %n)); (%n not in (%n, %n)); (%t like %t); (%t !~* 'x'); (%a = %a)`,
  i: `time; now(); '2020-01-01'; $from; timestamp '2020-01-01'; null; (time + interval '1 day'); (%i - interval '10000 years');
    date_bin('5 minutes', %i); date_bin('1 month', %i, '2020-01-01'); date_trunc('week', %i); to_timestamp(%n);
    to_timestamp_millis(hum); (time + (time - %i)); coalesce(%i, %i)`,
  a: `%n; %t; %b; %i; interval '1 month'; count(*); sum(%n); avg(hum); min(%a); max(%n); median(u); first_value(%a)`,
} as const;
type Form = keyof typeof FORMS;

/** Any expression of a form, mostly of types that go together. */
const written = fc.letrec<Record<Form, string>>((tie) => {
  const grown = (form: Form) => {
    const patterns = FORMS[form].split(";").map((pattern) => pattern.trim());
    const filled = patterns.map((pattern) => {
      const parts = [...pattern.matchAll(/%([ntbia])/g)].map(([, part]) => tie(part as Form));
      return fc.tuple(...parts).map((texts) => {
        const rest = [...texts];
        return pattern.replaceAll(/%([ntbia%])/g, (_, part) =>
          part === "%" ? "%" : (rest.shift() ?? ""),
        );
      });
    });
    return fc.oneof({ maxDepth: 4, depthSize: "small" }, ...filled);
  };
  return { n: grown("n"), t: grown("t"), b: grown("b"), i: grown("i"), a: grown("a") };
});

const COMPARISONS = new Set(
  "equal not_equal less less_equal greater greater_equal is_distinct is_not_distinct".split(" "),
);
const ONE_TYPE = new Set(
  "add subtract multiply divide modulo coalesce greatest least nullif".split(" "),
);
const TEXTS = new Set(
  "like ilike regexp_like concat concat_operator lower upper length trim ltrim rtrim replace starts_with ends_with strpos".split(
    " ",
  ),
);
const FLOATS = new Set("ceil floor sqrt ln log10 log2 exp power sin cos tan trunc".split(" "));

suite("hostile statements", () => {
  test("any change of a statement is planned by the rules, or refused as the user's mistake", () => {
    const edit = fc.record({
      sample: fc.constantFrom(...SAMPLES),
      at: fc.nat(300),
      removed: fc.nat(4),
      piece: fc.constantFrom(
        "",
        "'",
        "(",
        ")",
        ",",
        "*",
        " not ",
        " or ",
        "null",
        "1",
        "'x'",
        " time ",
        "count(*)",
        "-",
        "$from",
        "distinct ",
      ),
    });
    fc.assert(
      fc.property(edit, ({ sample, at, removed, piece }) => {
        const start = at % (sample.length + 1);
        attempt(sample.slice(0, start) + piece + sample.slice(start + removed));
      }),
      { numRuns: 500 },
    );
  });

  test("any expression is planned by the rules, or refused as the user's mistake", async () => {
    let planned = 0;
    await fc.assert(
      fc.asyncProperty(written.a, written.b, written.a, async (item, where, key) => {
        const sql = `select ${item} as a from home where ${where} group by ${key} having ${where} order by ${item}`;
        for (const text of [
          `select ${item} as a`,
          `select ${item} as a from home where ${where}`,
          sql,
        ]) {
          const plan = attempt(text);
          if (plan === undefined) continue;
          planned += 1;
          await run(plan);
        }
      }),
      { numRuns: 200 },
    );
    assert.ok(planned > 100, `only ${planned} were planned`);
  });

  test("the deepest statements are planned without a stack overflow", () => {
    const sum = `1${" + 1".repeat(190)}`;
    assert.ok(
      attempt(
        `select ${sum} as a from home where temp > ${sum} group by temp, ${sum} order by ${sum}`,
      ),
    );
    const nested = `${"abs(".repeat(190)}temp${")".repeat(190)}`;
    assert.ok(attempt(`select ${nested} from home order by ${nested}`));
  });
});

/** The plan of a statement, checked; undefined when it is refused, as only a user's mistake may be. */
function attempt(sql: string): Plan | undefined {
  try {
    const plan = planStatement(parseStatement(sql), context);
    checkPlan(plan);
    return plan;
  } catch (error) {
    assert.ok(error instanceof DbError, `${sql}: ${String(error)}`);
    assert.ok(
      ["invalid", "unsupported", "exceeded"].includes(error.kind),
      `${sql}: ${error.message}`,
    );
    return undefined;
  }
}

async function run(plan: Plan): Promise<void> {
  try {
    await Array.fromAsync(engine.query(plan, new AbortController().signal));
  } catch (error) {
    const known =
      error instanceof DbError && (error.kind === "invalid" || error.code === "plain_engine");
    assert.ok(known, String(error));
  }
}

/** Holds a plan to what model/query/plan.ts and model/query/expression.ts promise engines. */
function checkPlan(plan: Plan): void {
  const { fields } = plan;
  for (const input of inputsOf(plan)) checkPlan(input);
  switch (plan.kind) {
    case "scan":
      if (plan.predicate !== undefined) checkExpression(plan.predicate, fields, "boolean");
      assert.equal(plan.columns.length, fields.length);
      assert.ok(plan.time.start <= plan.time.end);
      return;
    case "values":
      for (const row of plan.rows) checkAll(row, [], fields);
      return;
    case "filter":
      checkExpression(plan.predicate, plan.input.fields, "boolean");
      break;
    case "aggregate":
      checkAll(plan.groups, plan.input.fields, fields.slice(0, plan.groups.length));
      for (const call of plan.aggregates) checkAggregate(call, plan.input.fields);
      assert.equal(fields.length, plan.groups.length + plan.aggregates.length);
      break;
    case "project":
      checkAll(plan.expressions, plan.input.fields, fields);
      break;
    case "sort":
      for (const key of plan.keys) checkExpression(key.expression, plan.input.fields);
      break;
    case "limit":
      assert.ok(plan.offset >= 0n && (plan.countMax ?? 0n) >= 0n);
      break;
    default:
      break;
  }
}

function checkAll(
  list: readonly Expression[],
  input: readonly Field[],
  output: readonly Field[],
): void {
  assert.equal(list.length, output.length);
  for (const [index, item] of list.entries()) checkExpression(item, input, output[index]?.type);
}

function checkAggregate(call: AggregateCall, input: readonly Field[]): void {
  for (const operand of call.arguments) checkExpression(operand, input);
  if (call.filter !== undefined) checkExpression(call.filter, input, "boolean");
  const same = ["sum", "min", "max", "median", "first_value", "last_value"].includes(call.name);
  if (same) assert.equal(call.type, call.arguments[0]?.type);
  const float = /^(avg|stddev|variance)/.test(call.name);
  if (float) assert.equal(call.arguments[0]?.type, "float64");
}

function checkExpression(expression: Expression, input: readonly Field[], type?: ValueType): void {
  if (type !== undefined) assert.deepEqual(expression.type, type);
  for (const child of childrenOf(expression)) checkExpression(child, input);
  switch (expression.kind) {
    case "input":
      assert.deepEqual(input[expression.index]?.type, expression.type);
      return;
    case "literal":
      checkLiteral(expression);
      return;
    case "call":
      checkCall(expression);
      return;
    case "case":
      for (const { when, result } of expression.branches) {
        assert.equal(when.type, "boolean");
        assert.deepEqual(result.type, expression.type);
      }
      assert.deepEqual(expression.otherwise.type, expression.type);
      return;
    case "in":
      for (const item of expression.list) assert.deepEqual(item.type, expression.operand.type);
      return;
    default:
      return;
  }
}

function checkLiteral({ value, type }: Extract<Expression, { kind: "literal" }>): void {
  if (value === null) return;
  const kinds: Readonly<Record<string, string>> = {
    null: "none",
    boolean: "boolean",
    int64: "bigint",
    uint64: "bigint",
    float64: "number",
    string: "string",
    timestamp: "bigint",
    interval: "object",
  };
  if (typeof type === "string" && type in kinds) assert.equal(typeof value, kinds[type]);
  if (typeof value === "bigint") {
    assert.equal(type === "uint64" ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value), value);
  }
}

function checkCall(call: Extract<Expression, { kind: "call" }>): void {
  const { name, type } = call;
  const types = call.arguments.map((operand) => operand.type);
  const all = (expected: ValueType | undefined) =>
    assert.ok(
      types.every((operand) => expected !== undefined && sameType(operand, expected)),
      `${name}(${types.map(typeText).join(", ")})`,
    );
  if (COMPARISONS.has(name)) all(types[0]);
  if (ONE_TYPE.has(name)) all(type);
  if (TEXTS.has(name)) all("string");
  if (FLOATS.has(name)) all("float64");
  if (name === "and" || name === "or" || name === "not") all("boolean");
  const plain = types.map((one) => (isTimestamp(one) ? "timestamp" : one));
  if (name === "add_interval" || name === "subtract_interval")
    assert.deepEqual(plain, ["timestamp", "interval"]);
  if (name === "date_bin") assert.deepEqual(plain, ["interval", "timestamp", "timestamp"]);
  if (name === "date_trunc" || name === "date_part")
    assert.deepEqual(plain, ["string", "timestamp"]);
}
