import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { utf8 } from "#base/bytes.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { Callee, Transport, TransportAnswer, TransportRequest } from "#ports/transport.ts";
import {
  CallsTaken,
  checkBody,
  type Member,
  proveAnswer,
  signCall,
  signedTransport,
  verifyCall,
} from "./node-call.ts";

const SECRET = "of the cluster";
const CALL = { method: "POST", path: "/api/v3/tidelake/push" } as const;
const BODY = utf8('{"node":1,"position":2}');
const ONE = startOf(1, 4);
const TWO = startOf(2, 9);

function startOf(node: number, epoch: number): Callee {
  return { node: node as NodeNumber, epoch };
}

function member(start: Callee): Member {
  return { ...start, secret: SECRET };
}

/** What node 1 sends to node 2 as its third call. */
function proof(some: { from?: Callee; to?: Callee; number?: number; body?: Uint8Array } = {}) {
  const { from = ONE, to = TWO, number = 3, body = BODY } = some;
  return signCall({ secret: SECRET }, { from, to, number }, CALL, body).replace(/^Tidelake /, "");
}

suite("calls between nodes", () => {
  test("are known by their proof, which does not hold the secret", () => {
    assert.match(proof(), /^1\.4\.3\.[0-9a-f]{64}\.[0-9a-f]{64}$/);
    const node = verifyCall(member(TWO), CALL, proof());
    assert.ok(node?.kind === "node");
    assert.deepEqual([node.from, node.number], [ONE, 3]);
    checkBody(node, BODY);
  });

  test("may be without a body", () => {
    const node = verifyCall(member(TWO), CALL, proof({ body: utf8("") }));
    assert.ok(node !== undefined);
    checkBody(node, utf8(""));
  });

  const [bodyHash = "", seal = ""] = proof().split(".").slice(3);
  const foreign: readonly [string, () => unknown][] = [
    ["another secret", () => verifyCall({ ...TWO, secret: "of another" }, CALL, proof())],
    ["another path", () => verifyCall(member(TWO), { ...CALL, path: `${CALL.path}?a` }, proof())],
    ["another method", () => verifyCall(member(TWO), { ...CALL, method: "GET" }, proof())],
    ["another node that it reaches", () => verifyCall(member(startOf(3, 9)), CALL, proof())],
    ["an earlier start meant", () => verifyCall(member(startOf(2, 10)), CALL, proof())],
    ["another caller", () => verifyCall(member(TWO), CALL, `2.4.3.${bodyHash}.${seal}`)],
    [
      "another start of the caller",
      () => verifyCall(member(TWO), CALL, `1.5.3.${bodyHash}.${seal}`),
    ],
    ["another number", () => verifyCall(member(TWO), CALL, `1.4.4.${bodyHash}.${seal}`)],
    ["another body's hash", () => verifyCall(member(TWO), CALL, `1.4.3.${"0".repeat(64)}.${seal}`)],
    ["no seal", () => verifyCall(member(TWO), CALL, `1.4.3.${bodyHash}`)],
    ["a seal that is cut", () => verifyCall(member(TWO), CALL, proof().slice(0, -1))],
    ["the secret itself", () => verifyCall(member(TWO), CALL, SECRET)],
    ["nothing", () => verifyCall(member(TWO), CALL, "")],
  ];
  for (const [what, verify] of foreign) {
    test(`with ${what} are nobody's`, () => assert.equal(verify(), undefined));
  }

  test("whose body is not the one that was sent are refused", () => {
    const node = verifyCall(member(TWO), CALL, proof());
    assert.ok(node !== undefined);
    assert.throws(() => checkBody(node, utf8('{"node":1,"position":3}')), {
      kind: "denied",
      code: "unauthenticated",
    });
  });
});

suite("calls that come again", () => {
  test("are refused, and late ones taken", () => {
    const calls = new CallsTaken();
    for (const number of [1, 3, 2, 4_000, 3_999, 2_977])
      assert.equal(calls.take({ from: ONE, number }), true, `call ${number}`);
    for (const number of [1, 2, 3, 4_000, 3_999, 2_977, 2_976, 4])
      assert.equal(calls.take({ from: ONE, number }), false, `call ${number} again, or too late`);
    assert.equal(calls.take({ from: TWO, number: 3 }), true, "each node has numbers of its own");
  });

  test("are refused whatever is forgotten of long ago", () => {
    const calls = new CallsTaken();
    for (let number = 1; number <= 10_000; number++) calls.take({ from: ONE, number });
    for (let number = 1; number <= 10_000; number++)
      assert.equal(calls.take({ from: ONE, number }), false);
    assert.equal(calls.take({ from: ONE, number: 10_001 }), true);
  });

  test("are taken once, in whatever order, and those that are not very late always", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4_000 }), { maxLength: 200 }), (numbers) => {
        const calls = new CallsTaken();
        const taken = new Set<number>();
        let highest = 0;
        for (const number of numbers) {
          const isNew = !taken.has(number) && number > highest - 1_024;
          assert.equal(calls.take({ from: ONE, number }), isNew);
          taken.add(number);
          highest = Math.max(highest, number);
        }
      }),
    );
  });

  test("of an earlier start than others are refused, and a later start counts from its beginning", () => {
    const calls = new CallsTaken();
    assert.equal(calls.take({ from: ONE, number: 9 }), true);
    assert.equal(calls.take({ from: startOf(1, 5), number: 1 }), true);
    assert.equal(calls.take({ from: ONE, number: 10 }), false);
    assert.equal(calls.take({ from: startOf(1, 5), number: 1 }), false);
  });
});

/** A transport of node 1; the other end answers what `answer` makes of the call. */
function signing(answer: (request: TransportRequest) => TransportAnswer) {
  const sent: TransportRequest[] = [];
  const inner: Transport = {
    async send(_address, request) {
      sent.push(request);
      return answer(request);
    },
  };
  return { sent, transport: signedTransport(inner, () => member(ONE)) };
}

suite("a transport that signs", () => {
  const REQUEST: TransportRequest = { ...CALL, body: BODY, timeoutMs: 1 };

  const empty = new Uint8Array(0);

  test("gives each call a number of its own, and takes an answer that is proven", async () => {
    const { sent, transport } = signing(({ authorization = "" }) => {
      const answer = { status: 202, body: empty };
      return { ...answer, proof: proveAnswer(member(TWO), authorization, answer) };
    });
    for (const _ of [1, 2])
      assert.equal((await transport.send("host:1", { ...REQUEST, to: TWO })).status, 202);
    assert.deepEqual(
      sent.map(({ authorization }) => authorization),
      [1, 2].map((number) => `Tidelake ${proof({ number })}`),
    );
  });

  test("counts the calls of each node by themselves, so that many others make none of one late", async () => {
    const { sent, transport } = signing(({ authorization = "" }) => {
      const answer = { status: 202, body: empty };
      return { ...answer, proof: proveAnswer(member(TWO), authorization, answer) };
    });
    const others = Array.from({ length: 1_100 }, (_, index) => startOf(3 + index, 1));
    for (const to of [TWO, ...others, TWO, startOf(2, 10)])
      await transport.send("host:1", { ...REQUEST, to });
    const numbers = sent.map(({ authorization = "" }) => authorization.split(".")[2]);
    assert.deepEqual(numbers, ["1", ...others.map(() => "1"), "2", "3"]);
  });

  test("takes the proof that the other end makes of the call", async () => {
    const { transport } = signing(({ authorization = "" }) => {
      const node = verifyCall(member(TWO), CALL, authorization.replace("Tidelake ", ""));
      const body = utf8('{"term":4}');
      return { status: 200, body, proof: node?.proveAnswer(200, body) ?? "" };
    });
    assert.equal((await transport.send("host:1", { ...REQUEST, to: TWO })).status, 200);
  });

  const LIES: readonly [string, (authorization: string) => TransportAnswer][] = [
    ["none", () => ({ status: 202, body: empty })],
    ["another secret's", (authorization) => lie({ authorization, secret: "of another" })],
    ["another call's", () => lie({ authorization: `Tidelake ${proof({ number: 77 })}` })],
    ["another status's", (authorization) => ({ ...lie({ authorization }), status: 200 })],
    ["another body's", (authorization) => ({ ...lie({ authorization }), body: BODY })],
  ];
  function lie({ authorization, secret = SECRET }: { authorization: string; secret?: string }) {
    const answer = { status: 202, body: empty };
    return { ...answer, proof: proveAnswer({ secret }, authorization, answer) };
  }
  for (const [what, answer] of LIES)
    test(`takes no answer with ${what} proof`, async () => {
      const { transport } = signing(({ authorization = "" }) => answer(authorization));
      await assert.rejects(transport.send("host:1", { ...REQUEST, to: TWO }), {
        kind: "unavailable",
        code: "peer_unreachable",
        message: /does not show that it is a node of this cluster/,
      });
    });

  test("passes on a refusal, of which nothing is believed", async () => {
    const { transport } = signing(() => ({ status: 503, body: empty }));
    assert.equal((await transport.send("host:1", { ...REQUEST, to: TWO })).status, 503);
  });

  test("shows nobody anything whom anybody may ask", async () => {
    const { sent, transport } = signing(() => ({ status: 200, body: empty }));
    assert.equal((await transport.send("host:1", REQUEST)).status, 200);
    assert.equal(sent[0]?.authorization, undefined);
  });
});
