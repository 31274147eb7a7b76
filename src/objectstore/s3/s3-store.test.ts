import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { isKind } from "#base/errors.ts";
import { silentLog } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { seededRandom } from "#ports/random.ts";
import { machineClock } from "#testing/http.ts";
import { hasRadosgw, startRadosgw } from "#testing/stores/radosgw.ts";
import { rejectsWith } from "#testing/stores/refusals.ts";
import { makeBucket, mustHaveStores, type S3Server, s3Config } from "#testing/stores/s3-server.ts";
import { type S3Answer, S3StandIn, xmlError } from "#testing/stores/s3-stand-in.ts";
import { startS3rver } from "#testing/stores/s3rver.ts";
import type { S3Config } from "../cloud/config.ts";
import type { CloudPorts } from "../cloud/requests.ts";
import { objectStoreContract } from "../contract.ts";
import { probePutIfAbsent } from "../probe.ts";
import { openS3Store } from "./s3-store.ts";

const PORTS: CloudPorts = { clock: machineClock, random: seededRandom(1), log: silentLog };
const skip = hasRadosgw() || mustHaveStores() ? false : "radosgw is not installed here";

suite("S3Store on radosgw", { skip }, () => {
  let server: S3Server | undefined;
  before(async () => {
    server = await startRadosgw();
  });
  after(() => server?.[Symbol.asyncDispose]());

  async function openSubject(some: Partial<S3Config> = {}) {
    assert.ok(server !== undefined);
    const { endpoint, keys } = server;
    const bucket = await makeBucket(server);
    const config = { bucket, endpoint, keys: { ...keys, sessionToken: undefined }, ...some };
    const parts = new AsyncDisposableStack();
    const openAgain = async () => parts.use(await openS3Store(s3Config(config), PORTS));
    const store = await openAgain();
    return { store, openAgain, [Symbol.asyncDispose]: () => parts.disposeAsync() };
  }

  objectStoreContract("S3Store", () => openSubject());

  test("of a hundred that create one key at once exactly one wins, twenty times of twenty", async () => {
    await using subject = await openSubject({ connectionCountMax: 100 });
    const { store } = subject;
    for (let round = 1; round <= 20; round += 1) {
      const racers = Array.from({ length: 100 }, (_, racer) => racer);
      const results = await Promise.allSettled(
        racers.map((racer) => store.putIfAbsent(`race/${round}`, utf8(`racer ${racer}`))),
      );
      const winners = racers.filter((racer) => results[racer]?.status === "fulfilled");
      assert.equal(winners.length, 1, `round ${round}`);
      const losses = results.flatMap((result) =>
        result.status === "rejected" ? [result.reason] : [],
      );
      assert.ok(losses.every((reason) => isKind(reason, "conflict")));
      assert.deepEqual(await textOf(store, `race/${round}`), `racer ${winners[0]}`);
    }
  });

  test("wrong keys and a bucket that is not there are told apart from silence", async () => {
    await using stranger = await openSubject({
      keys: { accessKeyId: "stranger", secretAccessKey: "secret", sessionToken: undefined },
    });
    await rejectsWith(stranger.store.get("a"), "store_denied", /InvalidAccessKeyId/);
    await using homeless = await openSubject({ bucket: "nobody-made-this" });
    await rejectsWith(homeless.store.get("a"), "store_missing", /'nobody-made-this' at http/);
    await rejectsWith(homeless.store.list(""), "store_missing", /create it/);
    await rejectsWith(homeless.store.putIfAbsent("a", utf8("body")), "store_missing", /create it/);
  });

  test("keeps the promise that a cluster rests on", async () => {
    await using subject = await openSubject();
    assert.equal(await probePutIfAbsent(subject.store, "cluster/", seededRandom(2)), true);
  });
});

suite("S3Store on s3rver, which ignores conditions", () => {
  test("is found out", async () => {
    await using server = await startS3rver();
    const { endpoint, keys } = server;
    const bucket = await makeBucket(server);
    const config = { bucket, endpoint, keys: { ...keys, sessionToken: undefined } };
    await using store = await openS3Store(s3Config(config), PORTS);
    assert.equal(await probePutIfAbsent(store, "cluster/", seededRandom(3)), false);
    assert.deepEqual(await store.list(""), []);
  });
});

suite("S3Store", () => {
  const refusals: readonly (readonly [S3Answer, string, RegExp])[] = [
    [xmlError(403, "AccessDenied"), "store_denied", /403 AccessDenied.*credentials/],
    [xmlError(403, "SignatureDoesNotMatch"), "store_denied", /SignatureDoesNotMatch/],
    [xmlError(400, "ExpiredToken"), "store_denied", /ExpiredToken/],
    [xmlError(404, "NoSuchBucket"), "store_missing", /NoSuchBucket.*create it/],
    [xmlError(301, "PermanentRedirect"), "store_refused", /endpoint, region and bucket/],
    [xmlError(400, "AuthorizationHeaderMalformed"), "store_refused", /AuthorizationHeader/],
    [xmlError(400, "EntityTooLarge"), "store_refused", /400 EntityTooLarge/],
    [xmlError(403, "QuotaExceeded"), "store_full", /QuotaExceeded.*make room/],
    [xmlError(307, "TemporaryRedirect"), "store_unreachable", /307 TemporaryRedirect/],
    [xmlError(400, "IncompleteBody"), "store_unreachable", /IncompleteBody/],
    [
      xmlError(403, "RequestTimeTooSkewed"),
      "store_unreachable",
      /TooSkewed.*clock of this machine/,
    ],
    [xmlError(400, "RequestTimeout"), "store_unreachable", /RequestTimeout/],
    [xmlError(409, "OperationAborted"), "store_unreachable", /409 OperationAborted/],
    [xmlError(429, "TooManyRequests"), "store_unreachable", /429/],
    [xmlError(500, "InternalError"), "store_unreachable", /500 InternalError/],
    [xmlError(503, "SlowDown"), "store_unreachable", /503 SlowDown/],
    [{ status: 502, body: "<html>bad gateway" }, "store_unreachable", /502/],
  ];
  for (const [answer, code, message] of refusals) {
    test(`${answer.status} ${answer.code ?? "in HTML"} is ${code}, of whatever request`, async () => {
      await using world = await S3StandIn.open(() => answer);
      const { store } = world;
      const requests = [
        () => store.get("a"),
        () => store.put("a", utf8("body")),
        () => store.list("a/"),
        () => store.delete("a"),
        () => store.putIfAbsent("a", utf8("body")),
      ];
      for (const request of requests) await rejectsWith(request(), code, message);
      if (answer.status !== 409) assert.equal(world.requests.length, requests.length);
    });
  }

  test("a put if absent asks for absence, and no other put does", async () => {
    await using world = await S3StandIn.open(() => ({ status: 200 }));
    await world.store.putIfAbsent("a/b", utf8("body"));
    await world.store.put("a/b", utf8("body"));
    const seen = world.requests.map(({ headers, method, url }) => [
      method,
      url,
      headers["if-none-match"],
    ]);
    assert.deepEqual(seen, [
      ["PUT", "/data/a/b?x-id=PutObject", "*"],
      ["PUT", "/data/a/b?x-id=PutObject", undefined],
    ]);
  });

  test("a put if absent that is refused with 412 has lost", async () => {
    await using world = await S3StandIn.open(() => xmlError(412, "PreconditionFailed"));
    const putting = world.store.putIfAbsent("a", utf8("body"));
    await assert.rejects(putting, { kind: "conflict", code: "object_exists" });
    assert.equal(world.requests.length, 1);
  });

  test("a put if absent that was broken off for another one is made again, and no other", async () => {
    const contended = xmlError(409, "ConditionalRequestConflict");
    await using world = await S3StandIn.open((count) => (count <= 2 ? contended : { status: 200 }));
    await world.store.putIfAbsent("a", utf8("body"));
    assert.equal(world.requests.length, 3);
    await using busy = await S3StandIn.open(() => contended);
    await rejectsWith(busy.store.putIfAbsent("a", utf8("body")), "store_unreachable", /409/);
    assert.equal(busy.requests.length, 8);
  });

  test("a store that does not know conditions is not safe", async () => {
    await using world = await S3StandIn.open(() => xmlError(501, "NotImplemented"));
    const putting = world.store.putIfAbsent("a", utf8("body"));
    await assert.rejects(putting, { kind: "unsupported", code: "store_unsafe" });
  });

  test("only an object that the store says is missing is absent", async () => {
    await using world = await S3StandIn.open((count) =>
      count === 1 ? xmlError(404, "NoSuchKey") : { status: 404, body: "<html>no such page" },
    );
    assert.equal(await world.store.get("a"), undefined);
    await rejectsWith(world.store.get("a"), "store_missing", /404/);
  });

  test("an answer that breaks off is no answer", async () => {
    await using world = await S3StandIn.open(() => ({ status: 200, body: "half", sizeBytes: 8 }));
    await rejectsWith(world.store.get("a"), "store_unreachable", /aborted|broke off|ECONNRESET/);
  });

  test("a request without an answer ends in time, and leaves its place to the next", async () => {
    await using world = await S3StandIn.open(
      (count) => (count === 1 ? "silence" : { status: 200, body: "body" }),
      { requestTimeoutMs: 100, connectionCountMax: 1 },
    );
    const both = await Promise.allSettled([world.store.get("a"), world.store.get("b")]);
    const [first, second] = both;
    assert.ok(first.status === "rejected" && second.status === "fulfilled");
    await rejectsWith(Promise.reject(first.reason), "store_unreachable", /within 100 ms/);
    assert.deepEqual(Buffer.from(second.value ?? []).toString(), "body");
  });

  test("a store that is closed gives up what is under way and takes nothing more", async () => {
    await using world = await S3StandIn.open(() => "silence");
    const getting = rejectsWith(world.store.get("a"), "store_unreachable", /closed/);
    await world.nextRequest();
    await world.store[Symbol.asyncDispose]();
    await getting;
    await rejectsWith(world.store.get("a"), "store_unreachable", /closed/);
  });

  test("a server that is not there is named", async () => {
    const world = await S3StandIn.open(() => "silence");
    await world[Symbol.asyncDispose]();
    await using store = await openS3Store(world.config, PORTS);
    await rejectsWith(store.get("a"), "store_unreachable", /'data' at http:.*ECONNREFUSED/);
  });

  test("a list is read page by page, without what is none of ours", async () => {
    await using world = await S3StandIn.open((_, { url = "" }) =>
      url.includes("continuation-token=more")
        ? page(["b/1", "b/2"])
        : page(["a/1", "a/", "a/ä", "a/2"], "more"),
    );
    const listed = await world.store.list("", { after: "a/0" });
    assert.deepEqual(
      listed.map(({ key }) => key),
      ["a/1", "a/2", "b/1", "b/2"],
    );
    assert.deepEqual((await world.store.list("", { countMax: 1 })).length, 1);
    assert.ok(world.requests[0]?.url?.includes("start-after=a%2F0"));
    assert.ok(world.requests[2]?.url?.includes("max-keys=1&"));
    assert.equal(world.requests.length, 3);
  });

  test("a list out of order, one that goes round in circles and one that breaks off are not believed", async () => {
    for (const answer of [page(["b", "a"]), page([], "again"), page(["a"], "")]) {
      await using world = await S3StandIn.open(() => answer);
      await assert.rejects(world.store.list(""), { kind: "unsupported", code: "store_unsafe" });
      assert.ok(world.requests.length <= 2);
    }
  });

  test("a clock that is an hour late goes by the store's from then on", async () => {
    const lateDate = new Date(Date.now() + 3_600_000).toUTCString();
    await using world = await S3StandIn.open((count) =>
      count === 1
        ? { ...xmlError(403, "RequestTimeTooSkewed"), headers: { date: lateDate } }
        : { status: 204 },
    );
    await rejectsWith(world.store.delete("a"), "store_unreachable", /RequestTimeTooSkewed/);
    await world.store.delete("a");
    const [early, right] = world.requests.map(({ headers }) => amzTimeOf(headers["x-amz-date"]));
    assert.ok(early !== undefined && right !== undefined);
    assert.ok(Math.abs(right - early - 3_600_000) < 60_000);
  });

  test("requests carry the session's token, and no signature where none is wanted", async () => {
    const keys = { accessKeyId: "id", secretAccessKey: "secret", sessionToken: "token" };
    await using world = await S3StandIn.open(() => ({ status: 204 }), { keys });
    await world.store.delete("a");
    const [signed] = world.requests;
    assert.equal(signed?.headers["x-amz-security-token"], "token");
    assert.match(signed?.headers.authorization ?? "", /Credential=id\/\d+\/us-east-1\/s3\//);
    await using open = await S3StandIn.open(() => ({ status: 204 }), { skipSignature: true });
    await open.store.delete("a");
    assert.equal(open.requests[0]?.headers.authorization, undefined);
  });
});

function page(keys: readonly string[], more?: string): S3Answer {
  const contents = keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`);
  const rest = more === undefined ? "" : `<NextContinuationToken>${more}</NextContinuationToken>`;
  const body = `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more !== undefined}</IsTruncated>${rest}${contents.join("")}</ListBucketResult>`;
  return { status: 200, body };
}

/** The time that a request says, like `20260131T120000Z`, in milliseconds. */
function amzTimeOf(header: string | readonly string[] | undefined): number {
  const spread = String(header).replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5");
  return Date.parse(spread);
}

async function textOf(store: ObjectStore, key: string): Promise<string> {
  return Buffer.from((await store.get(key)) ?? []).toString();
}
