import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import type { OfficeAsk } from "#compaction/office/office-call.ts";
import { decodeStanding, type Standing, type StandingAsk } from "#lifecycle/contact/standing.ts";
import type { Push } from "#lifecycle/pusher.ts";
import type { NodeNumber } from "#model/ids.ts";
import {
  type Call,
  CLUSTER_SECRET,
  openServer,
  send,
  signedBy,
  someServices,
} from "#testing/http.ts";

const PATH = "/api/v3/tidelake/push";

/** What another node sends to `path` with this body. */
function fromNode(body: string, path = PATH): Call {
  const call = { method: "POST", path };
  return { ...call, body, headers: { authorization: signedBy(CLUSTER_SECRET, call, body) } };
}

suite("POST /api/v3/tidelake/push", () => {
  test("passes on what another node says of its log", async () => {
    const heard: Push[] = [];
    const services = someServices({ hearPush: (push) => heard.push(push) });
    await using server = await openServer({ services });
    const body = JSON.stringify({ node: 3, position: 41 });
    const answer = await send(server.address, fromNode(body));
    assert.equal(answer.status, 202);
    assert.deepEqual(heard, [{ node: 7, position: 41 }], "of the log of who has proven to call");
  });

  test("refuses what is none", async () => {
    await using server = await openServer({ services: someServices({}) });
    for (const body of ["", "m f=1", '{"node":3}', '{"node":3,"position":-1}']) {
      const answer = await send(server.address, fromNode(body));
      assert.equal(answer.status, 400);
      assert.equal(answer.body, "this is not a push");
    }
  });
});

suite("POST /api/v3/tidelake/standing", () => {
  const standingPath = "/api/v3/tidelake/standing";
  const standing: Standing = {
    node: 1 as NodeNumber,
    catalog: { position: 7, ageMs: 20_000 },
    manifest: { position: 3, ageMs: 1 },
    words: [{ node: 1 as NodeNumber, epoch: 2, tail: 12, ageMs: 0 }],
  };

  test("tells another node how far the logs go", async () => {
    const asked: StandingAsk[] = [];
    const services = someServices({
      answerStanding: (ask) => {
        asked.push(ask);
        return standing;
      },
    });
    await using server = await openServer({ services });
    const answer = await send(server.address, fromNode('{"node":3,"catalog":6}', standingPath));
    assert.equal(answer.status, 200);
    assert.deepEqual(decodeStanding(utf8(answer.body)), standing);
    assert.deepEqual(asked, [{ node: 7, catalog: 6 }], "by who has proven to call");
  });

  test("refuses what is no question, and who is no node", async () => {
    await using server = await openServer({ services: someServices({}) });
    for (const body of ["", '{"node":3}', '{"node":3,"catalog":-1}'])
      assert.equal((await send(server.address, fromNode(body, standingPath))).status, 400);
    const call = { method: "POST", path: standingPath, body: '{"node":3,"catalog":6}' };
    assert.equal((await send(server.address, call)).status, 401);
  });
});

suite("POST /api/v3/tidelake/office", () => {
  test("is asked by who has proven to call, whatever the body says", async () => {
    const asked: OfficeAsk[] = [];
    const services = someServices({
      answerOffice: (ask) => {
        asked.push(ask);
        return { node: 1 as NodeNumber, term: 4 };
      },
    });
    await using server = await openServer({ services });
    const answer = await send(server.address, fromNode('{"node":3}', "/api/v3/tidelake/office"));
    assert.deepEqual([answer.status, answer.body.trim()], [200, '{"node":1,"term":4}']);
    assert.deepEqual(asked, [{ node: 7 }]);
  });
});
