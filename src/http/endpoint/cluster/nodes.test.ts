import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { CLUSTER_SECRET, openServer, send, signedBy, someServices } from "#testing/http.ts";

const PATH = "/api/v3/enterprise/configure/node";
const JSON_TYPE = { "content-type": "application/json" };

suite("calls that stop and remove nodes", () => {
  test("pass on the node's name", async () => {
    const asked: string[] = [];
    const services = someServices({
      stopNode: async (nodeId) => void asked.push(`stop ${nodeId}`),
      removeNode: async (nodeId) => void asked.push(`remove ${nodeId}`),
    });
    await using server = await openServer({ services });
    for (const what of ["stop", "remove"]) {
      const body = JSON.stringify({ node_id: "host01", force_finalize: true });
      const call = { method: "POST", path: `${PATH}/${what}`, headers: JSON_TYPE, body };
      const answer = await send(server.address, call);
      assert.deepEqual([answer.status, answer.body], [200, ""]);
    }
    assert.deepEqual(asked, ["stop host01", "remove host01"]);
  });

  const refusals: readonly [DbError, number][] = [
    [new DbError("not_found", "node_not_found", "node not found: x"), 404],
    [new DbError("invalid", "node_already_stopped", "tried to stop a node (x)"), 400],
    [new DbError("conflict", "node_not_stopped", "node 'x' is not fully stopped"), 409],
  ];
  for (const [error, status] of refusals)
    test(`answer ${error.code} by ${status}`, async () => {
      const services = someServices({ stopNode: () => Promise.reject(error) });
      await using server = await openServer({ services });
      const call = { method: "POST", path: `${PATH}/stop`, headers: JSON_TYPE };
      const answer = await send(server.address, { ...call, body: '{"node_id":"x"}' });
      assert.equal(answer.status, status);
      assert.ok(answer.body.includes(error.message));
    });

  test("want JSON with a node_id", async () => {
    await using server = await openServer({ services: someServices({}) });
    const call = { method: "POST", path: `${PATH}/stop` };
    const untyped = await send(server.address, { ...call, body: '{"node_id":"x"}' });
    assert.equal(untyped.status, 415);
    const empty = await send(server.address, { ...call, headers: JSON_TYPE, body: "{}" });
    assert.deepEqual(
      [empty.status, empty.body],
      [400, "serde json error: missing field `node_id`"],
    );
  });
});

suite("a greeting", () => {
  test("is of the node that has proven to greet", async () => {
    const heard: unknown[] = [];
    const services = someServices({ refresh: async (from) => void heard.push(from) });
    await using server = await openServer({ services });
    const call = { method: "POST", path: "/api/v3/tidelake/refresh" };
    const headers = { authorization: signedBy(CLUSTER_SECRET, call) };
    assert.equal((await send(server.address, { ...call, headers })).status, 202);
    assert.deepEqual(heard, [7]);
  });
});

suite("calls of the processing engine", () => {
  const configuration: readonly [string, string][] = [
    ["POST", "/api/v3/configure/processing_engine_trigger"],
    ["DELETE", "/api/v3/configure/processing_engine_trigger?db=d&trigger_name=t"],
    ["POST", "/api/v3/configure/processing_engine_trigger/enable?db=d&trigger_name=t"],
    ["POST", "/api/v3/configure/processing_engine_trigger/disable?db=d&trigger_name=t"],
    ["POST", "/api/v3/configure/plugin_environment/install_packages"],
    ["POST", "/api/v3/configure/plugin_environment/install_requirements"],
    ["POST", "/api/v3/plugins/files"],
    ["PUT", "/api/v3/plugins/files"],
    ["PUT", "/api/v3/plugins/directory"],
  ];
  const runs: readonly [string, string][] = [
    ["GET", "/api/v3/engine/hello"],
    ["POST", "/api/v3/engine/hello/world?a=b"],
    ["POST", "/api/v3/plugin_test/wal"],
    ["POST", "/api/v3/plugin_test/schedule"],
  ];
  for (const [method, path] of configuration)
    test(`${method} ${path} is 501 on any node`, async () => {
      await using server = await openServer({ services: someServices({}) });
      const answer = await send(server.address, { method, path });
      assert.equal(answer.status, 501);
      assert.match(answer.body, /^not supported in this version: triggers and plugins$/);
    });

  for (const [method, path] of runs)
    test(`${method} ${path} is 501 on a node with mode process, and 405 elsewhere`, async () => {
      let hasMode = true;
      const services = someServices({
        requireProcessing: () => {
          if (!hasMode) throw new DbError("unsupported", "mode_missing", "ask one that does");
        },
      });
      await using server = await openServer({ services });
      const status = async () => (await send(server.address, { method, path })).status;
      assert.equal(await status(), 501);
      hasMode = false;
      assert.equal(await status(), 405);
    });

  test("paths beside them are not found", async () => {
    await using server = await openServer({ services: someServices({}) });
    for (const path of ["/api/v3/engines", "/api/v3/plugins", "/api/v3/plugin_test"])
      assert.equal((await send(server.address, { path })).status, 404);
  });
});
