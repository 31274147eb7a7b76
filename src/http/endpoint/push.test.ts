import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Push } from "#lifecycle/pusher.ts";
import {
  type Call,
  CLUSTER_SECRET,
  openServer,
  send,
  signedBy,
  someServices,
} from "#testing/http.ts";

const PATH = "/api/v3/tidelake/push";

/** What another node sends with this body. */
function fromNode(body: string): Call {
  const call = { method: "POST", path: PATH };
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
    assert.deepEqual(heard, [{ node: 3, position: 41 }]);
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
