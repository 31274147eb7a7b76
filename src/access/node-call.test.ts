import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import type { Transport, TransportRequest } from "#ports/transport.ts";
import { checkBody, signCall, signedTransport, verifyCall } from "./node-call.ts";

const SECRET = "of the cluster";
const CALL = { method: "POST", path: "/api/v3/tidelake/push" };
const BODY = utf8('{"node":1,"position":2}');

function proofOf(authorization: string): string {
  return authorization.replace(/^Tidelake /, "");
}

suite("calls between nodes", () => {
  test("are known by their proof, which does not hold the secret", () => {
    const authorization = signCall(SECRET, CALL, BODY);
    assert.match(authorization, /^Tidelake [0-9a-f]{64}\.[0-9a-f]{64}$/);
    const node = verifyCall(SECRET, CALL, proofOf(authorization));
    assert.ok(node?.kind === "node");
    checkBody(node, BODY);
  });

  test("may be without a body", () => {
    const node = verifyCall(SECRET, CALL, proofOf(signCall(SECRET, CALL)));
    assert.ok(node !== undefined);
    checkBody(node, utf8(""));
  });

  const proof = proofOf(signCall(SECRET, CALL, BODY));
  const [bodyHash = "", seal = ""] = proof.split(".");
  const foreign: readonly [string, () => unknown][] = [
    ["another secret", () => verifyCall("of another", CALL, proof)],
    ["another path", () => verifyCall(SECRET, { ...CALL, path: `${CALL.path}?a` }, proof)],
    ["another method", () => verifyCall(SECRET, { ...CALL, method: "GET" }, proof)],
    ["another body's hash", () => verifyCall(SECRET, CALL, `${"0".repeat(64)}.${seal}`)],
    ["no seal", () => verifyCall(SECRET, CALL, bodyHash)],
    ["a seal that is cut", () => verifyCall(SECRET, CALL, proof.slice(0, -1))],
    ["the secret itself", () => verifyCall(SECRET, CALL, SECRET)],
    ["nothing", () => verifyCall(SECRET, CALL, "")],
  ];
  for (const [what, verify] of foreign) {
    test(`with ${what} are nobody's`, () => assert.equal(verify(), undefined));
  }

  test("whose body is not the one that was sent are refused", () => {
    const node = verifyCall(SECRET, CALL, proof);
    assert.ok(node !== undefined);
    assert.throws(() => checkBody(node, utf8('{"node":1,"position":3}')), {
      kind: "denied",
      code: "unauthenticated",
    });
  });

  test("are signed by the transport once the secret is known", async () => {
    const sent: TransportRequest[] = [];
    const inner: Transport = {
      send: async (_address, request) => {
        sent.push(request);
        return { status: 202, body: new Uint8Array(0) };
      },
    };
    let secret: string | undefined;
    const transport = signedTransport(inner, () => secret);
    await transport.send("host:1", { ...CALL, method: "POST", body: BODY, timeoutMs: 1 });
    secret = SECRET;
    await transport.send("host:1", { ...CALL, method: "POST", body: BODY, timeoutMs: 1 });
    assert.deepEqual(
      sent.map(({ authorization }) => authorization),
      [undefined, `Tidelake ${proof}`],
    );
  });
});
