import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { applyChanges, type CatalogState, EMPTY_CATALOG } from "../catalog-state.ts";
import type { CatalogChange } from "../changes.ts";
import {
  alterPolicy,
  createPolicy,
  createV1Database,
  databaseOfWrite,
  dropPolicy,
  dropV1Database,
  findPolicy,
  type PolicySpec,
  policiesOf,
  v1DatabaseNames,
} from "./policies.ts";

const LIMITS = { databaseCountMax: 20 };
const TIMES = { nowNs: 1n, hardDeleteAtNs: undefined };
const HOUR = 3_600_000_000_000n;
const DAY = 24n * HOUR;
const NOTHING: PolicySpec = {
  durationNs: undefined,
  replication: undefined,
  shardDurationNs: undefined,
};

type Decide = (state: CatalogState) => readonly CatalogChange[];

function after(...steps: readonly Decide[]): CatalogState {
  return steps.reduce((state, decide) => applyChanges(state, decide(state)), EMPTY_CATALOG);
}

function database(name: string, as?: { name: string; spec: PolicySpec }): Decide {
  return (state) => createV1Database(state, name, as, LIMITS);
}

function policy(name: string, spec: Partial<PolicySpec> = {}, isDefault = false): Decide {
  const wanted = { database: "a", name, spec: { ...NOTHING, ...spec }, isDefault };
  return (state) => createPolicy(state, wanted, LIMITS);
}

function altered(name: string, spec: Partial<PolicySpec>, isDefault = false): Decide {
  const wanted = { database: "a", name, spec: { ...NOTHING, ...spec }, isDefault };
  return (state) => alterPolicy(state, wanted, LIMITS);
}

function dropped(name: string): Decide {
  return (state) => dropPolicy(state, { database: "a", policy: name }, TIMES);
}

/** As it is there after writes of InfluxDB 3. */
function plain(name: string): Decide {
  return ({ nextDatabaseId }) => [{ kind: "create_database", id: nextDatabaseId, name }];
}

/** `name duration shard replication`, `*` behind the default. */
function shown(state: CatalogState, name = "a"): readonly string[] | undefined {
  return policiesOf(state, name)?.map(
    (each) =>
      `${each.name} ${each.durationNs / HOUR} ${each.shardDurationNs / HOUR} ${each.replication}${each.isDefault ? "*" : ""}`,
  );
}

suite("databases and retention policies of InfluxDB 1", () => {
  test("a database has autogen, one of another API as well", () => {
    assert.deepEqual(shown(after(database("a"))), ["autogen 0 168 1*"]);
    assert.deepEqual(shown(after(plain("a"))), ["autogen 0 168 1*"]);
    assert.equal(shown(EMPTY_CATALOG), undefined);
  });

  test("policies are databases of ours, listed as one, in order of creation", () => {
    const state = after(database("b"), database("a"), policy("Week", { durationNs: 7n * DAY }));
    assert.deepEqual(v1DatabaseNames(state), ["b", "a"]);
    assert.deepEqual([...state.databaseIds.keys()], ["b", "a", "a/week"]);
    assert.deepEqual(shown(state), ["autogen 0 168 1*", "Week 168 24 1"]);
    assert.equal(findPolicy(state, "a", "WEEK")?.database?.retentionNs, 7n * DAY);
  });

  test("the default policy is what the database's name means, and there is one at a time", () => {
    const state = after(database("a"), policy("p", {}, true), policy("q", {}, true));
    assert.deepEqual(shown(state), ["autogen 0 168 1", "p 0 168 1", "q 0 168 1*"]);
    assert.equal(databaseOfWrite(state, "a", undefined), "a/q");
    assert.equal(databaseOfWrite(state, "a", ""), "a/q");
    assert.equal(databaseOfWrite(state, "a", "autogen"), "a");
    assert.equal(databaseOfWrite(state, "a", "New"), "a/new");
    assert.equal(databaseOfWrite(state, "b", undefined), "b");
    assert.equal(findPolicy(state, "a/p", undefined)?.name, "p");
    assert.equal(findPolicy(state, "a", "none"), undefined);
  });

  test("rows of a policy alone leave autogen the default", () => {
    const state = after(plain("a/week"));
    assert.deepEqual(shown(state), ["autogen 0 168 1*", "week 0 168 1"]);
    assert.equal(databaseOfWrite(state, "a", undefined), "a");
    assert.deepEqual(v1DatabaseNames(state), ["a"]);
  });

  const spec = { durationNs: 72n * HOUR, replication: 1, shardDurationNs: 2n * HOUR };
  const foo = { name: "foo", spec };

  test("a database may be created twice when it is the same", () => {
    const state = after(database("a"), database("b", foo));
    assert.deepEqual(shown(state, "b"), ["foo 72 2 1*"]);
    for (const again of [database("a"), database("b", foo), database("b")])
      assert.deepEqual(again(state), []);
    assert.deepEqual(database("a", { name: "autogen", spec: NOTHING })(state), []);
    const others = [
      database("a", foo),
      database("b", { name: "foo", spec: NOTHING }),
      database("b", { name: "autogen", spec: NOTHING }),
      database("b", { name: "foo", spec: { ...spec, shardDurationNs: HOUR } }),
    ];
    for (const other of others)
      assert.throws(() => other(state), { kind: "conflict", code: "policy_conflict" });
  });

  test("so may a policy", () => {
    const state = after(database("a"), policy("p", { durationNs: HOUR }));
    assert.deepEqual(policy("p", { durationNs: HOUR })(state), []);
    assert.throws(() => policy("p", { durationNs: DAY })(state), { code: "policy_exists" });
    assert.throws(() => policy("p", { durationNs: HOUR }, true)(state), {
      code: "policy_conflict",
    });
    assert.throws(() => policy("p")(EMPTY_CATALOG), { code: "database_not_found" });
  });

  test("shards cover as much time as InfluxDB 1 takes for a duration, and an hour at least", () => {
    const durations: readonly [durationNs: bigint, shardHours: number][] = [
      [0n, 168],
      [HOUR, 1],
      [47n * HOUR, 1],
      [2n * DAY, 24],
      [179n * DAY, 24],
      [180n * DAY, 168],
    ];
    for (const [durationNs, hours] of durations)
      assert.deepEqual(shown(after(database("a"), policy("p", { durationNs }))), [
        "autogen 0 168 1*",
        `p ${durationNs / HOUR} ${hours} 1`,
      ]);
    const short = after(database("a"), policy("p", { durationNs: DAY, shardDurationNs: 1n }));
    assert.equal(shown(short)?.at(-1), "p 24 1 1");
  });

  test("durations that cannot be are refused", () => {
    const state = after(database("a"), policy("p", { durationNs: DAY }));
    const least = { code: "policy_duration", message: /at least 1h0m0s/ };
    const shard = { code: "policy_duration", message: /greater than the shard duration/ };
    assert.throws(() => policy("q", { durationNs: HOUR - 1n })(state), least);
    assert.throws(() => policy("q", { durationNs: HOUR, shardDurationNs: DAY })(state), shard);
    assert.throws(() => altered("p", { durationNs: 1n })(state), least);
    assert.throws(() => altered("p", { shardDurationNs: 25n * HOUR })(state), shard);
    assert.throws(() => altered("none", { durationNs: 1n })(state), { code: "policy_not_found" });
    assert.throws(() => altered("p", {})(EMPTY_CATALOG), { code: "database_not_found" });
  });

  test("ALTER changes what it says and nothing else", () => {
    const state = after(
      database("a"),
      policy("p", { durationNs: DAY }),
      altered("p", { durationNs: 10n * DAY }),
      altered("P", { replication: 3 }, true),
    );
    assert.deepEqual(shown(state), ["autogen 0 168 1", "p 240 1 3*"]);
    const forever = altered("p", { durationNs: 0n, shardDurationNs: 0n })(state);
    assert.deepEqual(shown(applyChanges(state, forever)), ["autogen 0 168 1", "p 0 168 3*"]);
    const made = after(
      plain("a/p"),
      altered("autogen", { durationNs: DAY, shardDurationNs: HOUR }),
    );
    assert.deepEqual(shown(made), ["p 0 168 1", "autogen 24 1 1*"]);
  });

  test("a policy that is dropped leaves the others; after the last one the database stays", () => {
    const state = after(database("a"), policy("p", {}, true));
    const one = applyChanges(state, dropped("autogen")(state));
    assert.deepEqual(shown(one), ["p 0 168 1*"]);
    const none = applyChanges(one, dropped("p")(one));
    assert.deepEqual(shown(none), ["autogen 0 168 1*"]);
    assert.notEqual(none.databaseIds.get("a"), state.databaseIds.get("a"));
    assert.deepEqual(shown(applyChanges(state, dropped("p")(state))), ["autogen 0 168 1*"]);
    assert.deepEqual(dropped("none")(state), []);
    assert.deepEqual(dropped("p")(EMPTY_CATALOG), []);
  });

  test("a database goes with all its policies, its queries and what users may do in it", () => {
    const grants = ["a", "b"].map((name) => ({ database: name, privilege: "all" as const }));
    const user = { name: "u", password: "", admin: false, grants };
    const state = after(database("a"), database("b"), policy("p"), () => [
      { kind: "set_user", user },
      { kind: "create_continuous_query", query: { database: "a", name: "q", text: "" } },
      { kind: "create_continuous_query", query: { database: "b", name: "q", text: "" } },
    ]);
    const gone = applyChanges(state, dropV1Database(state, "a", TIMES));
    assert.deepEqual([...gone.databaseIds.keys()], ["b"]);
    assert.deepEqual(gone.users.get("u")?.grants, grants.slice(1));
    assert.deepEqual(
      [...gone.continuousQueries.values()],
      [{ database: "b", name: "q", text: "" }],
    );
    assert.deepEqual(dropV1Database(gone, "a", TIMES), []);
    const kept = applyChanges(state, dropped("p")(state));
    assert.equal(kept.continuousQueries, state.continuousQueries);
  });

  test("there are no more databases than the limit says", () => {
    const state = after(database("a"));
    const limits = { databaseCountMax: 1 };
    assert.throws(() => createV1Database(state, "b", undefined, limits), {
      code: "database_limit",
    });
    const full = applyChanges(state, dropped("autogen")(state));
    assert.deepEqual(shown(full), ["autogen 0 168 1*"]);
  });
});
