/** The scripts of examples/, as somebody runs them who tries the program. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { suite, test } from "node:test";
import { startAzurite } from "#testing/stores/azurite.ts";
import {
  eventually,
  filesUnder,
  isRunning,
  REPOSITORY,
  Sandbox,
  type TestNode,
} from "./cluster.ts";

const SERVES = /^(\S+) \((\S+)\) serves (http:\S+) \(process (\d+)\)$/gm;
const START_MS_MAX = 90_000;

interface Member {
  readonly name: string;
  readonly modes: readonly string[];
  readonly url: string;
  readonly pid: number;
}

suite("examples", () => {
  const topologies: readonly [script: string, names: string][] = [
    ["basic.sh", "host01 host02"],
    ["dedicated-compactor.sh", "host01 host02 host03"],
    ["workload-isolation.sh", "host01 host02 host03 host04 host05"],
  ];
  for (const [script, names] of topologies) {
    test(`${script} starts a cluster that shows on every node what any took, and stops it`, async () => {
      await using sandbox = await Sandbox.open();
      await using example = await Example.start(sandbox, script);
      assert.equal(example.members.map(({ name }) => name).join(" "), names);
      await example.write(1);
      await example.seesAll();
      const { exitCode } = await example.script.stop();
      assert.equal(exitCode, 143);
      assert.deepEqual(example.running, []);
    });
  }

  test("high-availability.sh goes on without a node that was killed, and says how to start it again", async () => {
    await using sandbox = await Sandbox.open();
    await using example = await Example.start(sandbox, "high-availability.sh");
    await example.write(1);
    const [first, second] = example.members;
    assert.ok(first !== undefined && second !== undefined);
    process.kill(first.pid, "SIGKILL");
    const printed = /host01 ended with status 137\. To start it again.*:\n(.*--node-id host01.*)/;
    await eventually(async () => printed.exec(example.script.out) ?? undefined, {
      what: "word of the end",
    });
    await example.write(2);
    await example.seesAll();
    const { exitCode } = await example.script.stop();
    assert.equal(exitCode, 143);
    assert.deepEqual(example.running, []);
  });

  test("a script passes the options of another store on, and its environment", async () => {
    await using azurite = await startAzurite();
    const { account, accessKey = "", bucket } = await azurite.makeContainer();
    await using sandbox = await Sandbox.open();
    await using example = await Example.start(sandbox, "basic.sh", {
      options: ["--object-store", "azure", "--bucket", bucket, "--azure-allow-http"],
      env: {
        AZURE_STORAGE_ACCOUNT: account,
        AZURE_STORAGE_ACCESS_KEY: accessKey,
        AZURE_ENDPOINT: azurite.endpoint,
      },
    });
    await example.write(1);
    await example.seesAll();
    assert.deepEqual(await filesUnder(join(sandbox.directory, "example/store")), []);
    const { exitCode } = await example.script.stop();
    assert.equal(exitCode, 143);
  });

  test("a script whose options are wrong says why and leaves nothing running", async () => {
    await using sandbox = await Sandbox.open();
    const script = launch(sandbox, "basic.sh", { options: ["--object-store", "tape"] });
    const { exitCode, error } = await script.ended;
    assert.equal(exitCode, 1);
    assert.match(error, /error: host01 does not serve.*\n.*tape/);
  });
});

interface Settings {
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

function launch(sandbox: Sandbox, script: string, { options = [], env }: Settings = {}): TestNode {
  return sandbox.launchWords(options, join(sandbox.directory, "none"), {
    program: join(REPOSITORY, "examples", script),
    env: { FOLDER: join(sandbox.directory, "example"), PORTS: "any", ...env },
  });
}

/** A cluster that a script of examples/ runs. */
class Example implements AsyncDisposable {
  readonly script: TestNode;
  readonly members: readonly Member[];
  #rowCount = 0;

  /** Resolves when all its nodes serve. */
  static async start(sandbox: Sandbox, name: string, settings?: Settings): Promise<Example> {
    const script = launch(sandbox, name, settings);
    const isUp = async () => {
      if (script.hasEnded) throw new Error((await script.ended).error);
      return script.out.includes("All nodes serve") ? true : undefined;
    };
    await eventually(isUp, { what: "a cluster that serves", withinMs: START_MS_MAX });
    return new Example(script);
  }

  private constructor(script: TestNode) {
    this.script = script;
    this.members = [...script.out.matchAll(SERVES)].map(
      ([, name = "", modes = "", url = "", pid]) => ({
        name,
        modes: modes.split(","),
        url,
        pid: Number(pid),
      }),
    );
  }

  get running(): readonly Member[] {
    return this.members.filter(({ pid }) => isRunning(pid));
  }

  /** Writes a row of its own on every node that takes writes. */
  async write(value: number): Promise<void> {
    for (const { name, url } of this.#runningIn("ingest")) {
      const path = "/api/v3/write_lp?db=d&precision=nanosecond";
      const line = `m,writer=${name} v=${value}i ${value}`;
      const { status } = await fetch(url + path, { method: "POST", body: line });
      assert.equal(status, 204);
      this.#rowCount += 1;
    }
  }

  /** Resolves when every node that answers queries has all rows. */
  async seesAll(): Promise<void> {
    const q = "SELECT count(*) AS rows FROM m";
    for (const { name, url } of this.#runningIn("query")) {
      const hasAll = async () => {
        const body = JSON.stringify({ db: "d", q, format: "json" });
        const answer = await fetch(`${url}/api/v3/query_sql`, { method: "POST", body });
        const text = await answer.text();
        return text === `[{"rows":${this.#rowCount}}]` ? true : undefined;
      };
      await eventually(hasAll, { what: `${this.#rowCount} rows on ${name}` });
    }
  }

  #runningIn(mode: string): readonly Member[] {
    return this.running.filter(({ modes }) => modes.includes(mode));
  }

  /** Nodes outlive a script that is killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pid } of this.running) process.kill(pid, "SIGKILL");
    await this.script.kill();
  }
}
