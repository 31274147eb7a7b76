import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { silentLog } from "#ports/log.ts";
import { seededRandom } from "#ports/random.ts";
import { HandClock } from "#testing/hand-clock.ts";
import { CredentialsFile } from "./credentials-file.ts";

const MINUTE_MS = 60_000;

suite("a file of credentials", () => {
  test("is read again every hour, and no sooner", async () => {
    await using world = await World.open({ id: "one" });
    await world.write({ id: "two" });
    await world.clock.advance(59 * MINUTE_MS);
    assert.equal(await world.id(), "one");
    await world.clock.advance(MINUTE_MS);
    assert.equal(await world.id(), "two");
  });

  for (const inWords of [false, true]) {
    test(`is read again before its keys end, ${inWords ? "at a time" : "in seconds"}`, async () => {
      await using world = await World.open({ id: "one", endsInMs: 10 * MINUTE_MS, inWords });
      await world.write({ id: "two" });
      await world.clock.advance(8 * MINUTE_MS);
      assert.equal(await world.id(), "one");
      await world.clock.advance(1.5 * MINUTE_MS);
      assert.equal(await world.id(), "two");
    });
  }

  test("is read again when its keys were denied, at most once a second", async () => {
    await using world = await World.open({ id: "one" });
    const denied = await world.file.keys();
    await world.write({ id: "two" });
    assert.equal(await world.file.hasOtherThan(denied), false);
    await world.clock.advance(1_000);
    assert.equal(await world.file.hasOtherThan(denied), true);
    assert.equal(await world.id(), "two");
  });

  test("that cannot be read any more leaves the keys as they were", async () => {
    await using world = await World.open({ id: "one" });
    await writeFile(world.path, "{ half");
    await world.clock.advance(60 * MINUTE_MS);
    assert.equal(await world.id(), "one");
  });

  test("has a session's token, or none", async () => {
    await using world = await World.open({ id: "one", token: "token" });
    assert.equal((await world.file.keys()).sessionToken, "token");
    await using other = await World.open({ id: "one" });
    assert.equal((await other.file.keys()).sessionToken, undefined);
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["{ half", /it is no JSON/],
    ["[]", /--aws-credentials-file/],
    [`{"aws_access_key_id":"id"}`, /aws_secret_access_key/],
    [`{"aws_access_key_id":"","aws_secret_access_key":"very secret"}`, /aws_access_key_id/],
    [`{"aws_access_key_id":"id","aws_secret_access_key":"very secret","expiry":"soon"}`, /expiry/],
  ];
  for (const [text, message] of wrong) {
    test(`${text} is refused without showing a secret`, async () => {
      const opening = World.openText(text);
      await assert.rejects(opening, (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /very secret/);
        return true;
      });
    });
  }

  test("that is not there is refused", async () => {
    const ports = { clock: new HandClock(), random: seededRandom(1), log: silentLog };
    await assert.rejects(CredentialsFile.open("/nowhere/keys.json", ports), {
      kind: "invalid",
      code: "store_file_unusable",
    });
  });
});

interface Content {
  readonly id: string;
  readonly token?: string;
  readonly endsInMs?: number;
  readonly inWords?: boolean;
}

class World implements AsyncDisposable {
  readonly clock: HandClock;
  readonly path: string;
  readonly #directory: string;
  #file: CredentialsFile | undefined;

  static async open(content: Content): Promise<World> {
    return World.openText(textOf(content, new HandClock()));
  }

  static async openText(text: string): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), "tidelake-keys-")));
    const ports = { clock: world.clock, random: seededRandom(1), log: silentLog };
    try {
      await writeFile(world.path, text);
      world.#file = await CredentialsFile.open(world.path, ports);
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
    return world;
  }

  constructor(directory: string) {
    this.#directory = directory;
    this.path = join(directory, "keys.json");
    this.clock = new HandClock();
  }

  get file(): CredentialsFile {
    assert.ok(this.#file !== undefined);
    return this.#file;
  }

  async id(): Promise<string> {
    return (await this.file.keys()).accessKeyId;
  }

  async write(content: Content): Promise<void> {
    await writeFile(this.path, textOf(content, this.clock));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function textOf({ id, token, endsInMs, inWords }: Content, clock: HandClock): string {
  const endMs = endsInMs === undefined ? undefined : Number(clock.nowNs() / 1_000_000n) + endsInMs;
  const expiry =
    inWords === true && endMs !== undefined
      ? new Date(endMs).toISOString()
      : endMs && endMs / 1_000;
  return JSON.stringify({
    aws_access_key_id: id,
    aws_secret_access_key: "very secret",
    aws_session_token: token,
    expiry,
  });
}
