import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { GenerationId } from "#model/ids.ts";
import { silentLog } from "#ports/log.ts";
import { HandClock } from "#testing/hand-clock.ts";
import { ChildLink } from "./child-link.ts";

const NEVER = new AbortController().signal;
const DROP = { kind: "drop", generation: 1 as GenerationId } as const;

suite("a child that is given changes", () => {
  test("is killed when it has not made one for long and does not listen", async () => {
    const directory = await mkdtemp(join(tmpdir(), "tidelake-link-"));
    const clock = new HandClock();
    const settings = {
      memorySizeMax: 2 ** 28,
      threads: 1,
      directories: { cache: directory, spill: directory },
      spillSizeMax: 0,
      queryCountMax: 1,
      queryWaitingMax: 1,
    };
    await using link = await ChildLink.start(settings, { log: silentLog, clock });
    await link.change(DROP, NEVER);
    assert.ok(link.pid !== undefined);
    process.kill(link.pid, "SIGSTOP");
    const changed = link.change(DROP, NEVER);
    changed.catch(() => undefined);
    await clock.advance(10_000);
    await clock.advance(19_000);
    assert.ok(!link.dead);
    await clock.advance(1_000);
    await assert.rejects(changed, { code: "engine_restarted" });
    assert.match(link.deathText, /hung/);
    await link.exited;
    await rm(directory, { recursive: true });
  });
});
