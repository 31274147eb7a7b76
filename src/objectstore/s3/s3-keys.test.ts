/** Keys that change while a store is in use. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { machineClock } from "#testing/http.ts";
import { rejectsWith } from "#testing/stores/refusals.ts";
import { S3StandIn, xmlError } from "#testing/stores/s3-stand-in.ts";

suite("the keys of an S3Store", () => {
  test("that there are no keys is a mistake at first, and passes where there were some", async () => {
    await using folder = await keysFile("unused");
    const [path, profile] = [`${folder.path}.now`, `${folder.path}.ini`];
    // Keys that end soon, from a program that is asked again then.
    const issue = () => {
      const Expiration = new Date(Date.now() + 300).toISOString();
      const keys = { Version: 1, AccessKeyId: "one", SecretAccessKey: "s", Expiration };
      return writeFile(path, JSON.stringify(keys));
    };
    await writeFile(profile, `[default]\ncredential_process = cat ${path}\n`);
    using _ = withEnv({ ...NO_KEYS_ELSEWHERE, AWS_SHARED_CREDENTIALS_FILE: profile });
    await using world = await S3StandIn.open(() => ({ status: 204 }), { keys: undefined });
    await rejectsWith(world.store.delete("a"), "store_denied", /credentials/);
    assert.equal(world.requests.length, 0);
    await issue();
    await world.store.delete("a");
    await rm(path);
    await machineClock.sleep(400);
    await rejectsWith(world.store.delete("a"), "store_unreachable", /./);
    await issue();
    await world.store.delete("a");
    assert.equal(world.requests.length, 2);
  });

  test("keys of a file that were denied are looked up again, and the request made once more", async () => {
    await using keys = await keysFile("one");
    await using world = await S3StandIn.open(
      (_, { headers }) =>
        headers.authorization?.includes("Credential=two/") === true
          ? { status: 200, body: "body" }
          : xmlError(400, "ExpiredToken"),
      { credentialsFilePath: keys.path },
    );
    await rejectsWith(world.store.get("a"), "store_denied", /ExpiredToken/);
    assert.equal(world.requests.length, 1);
    await keys.write("two");
    // The file is not read more often than once a second.
    await machineClock.sleep(1_000);
    assert.equal(Buffer.from((await world.store.get("a")) ?? []).toString(), "body");
    assert.equal(world.requests.length, 3);
    assert.equal(Buffer.from((await world.store.get("a")) ?? []).toString(), "body");
    assert.equal(world.requests.length, 4);
  });
});

/** What keeps the library from finding keys of this machine. */
const NO_KEYS_ELSEWHERE = {
  AWS_ACCESS_KEY_ID: "",
  AWS_SECRET_ACCESS_KEY: "",
  AWS_CONFIG_FILE: "/nowhere/config",
  AWS_EC2_METADATA_DISABLED: "true",
};

/** Sets variables of this process, and takes them back. */
function withEnv(env: Readonly<Record<string, string>>): Disposable {
  const earlier = Object.keys(env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  return {
    [Symbol.dispose]() {
      for (const [name, value] of earlier) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    },
  };
}

async function keysFile(id: string) {
  const directory = await mkdtemp(join(tmpdir(), "tidelake-keys-"));
  const path = join(directory, "keys.json");
  const write = (accessKeyId: string) =>
    writeFile(path, JSON.stringify({ aws_access_key_id: accessKeyId, aws_secret_access_key: "s" }));
  await write(id);
  const remove = () => rm(directory, { recursive: true, force: true });
  return { path, write, [Symbol.asyncDispose]: remove };
}
