import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MachineMeter } from "./machine.ts";

const LINE =
  /^(cpu|mem|disk|net)(,[a-z_]+=[^ ,]+)+ [a-z_]+=[0-9.]+i?(,[a-z_]+=[0-9.]+i?)* 5000000$/;

suite("this machine's figures", () => {
  test("are line protocol of four tables, and shares of a core add up", async () => {
    const meter = new MachineMeter();
    const first = meter.sample(4);
    assert.ok(first.every((line) => !line.startsWith("cpu,")));
    await sleep(120);
    const lines = meter.sample(5);
    for (const line of lines) assert.match(line, LINE);
    const tables = new Set(lines.map((line) => line.split(",")[0]));
    assert.deepEqual(tables, new Set(["cpu", "mem", "disk", "net"]));
    const total = lines.find((line) => line.includes("core=cpu-total")) ?? "";
    const shares = [...total.matchAll(/usage_[a-z]+=([0-9.]+)/g)].map(([, share]) => Number(share));
    const sum = shares.reduce((all, share) => all + share, 0);
    assert.ok(Math.abs(sum - 100) < 0.1, `${sum}`);
  });
});
