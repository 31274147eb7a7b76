import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import type { WriteOutcome, WriteRequest } from "#ingest/write.ts";
import { openServer, send, someServices } from "#testing/http.ts";

const STORED: WriteOutcome = { token: "t1", rejected: [], rejectedCount: 0, limitMet: false };
const BAD_LINE = { lineNumber: 3, text: "contract_wr v=2.0 17 and more", message: "no such thing" };
const CHARACTER =
  "invalid character in database or rp name: must be ASCII, containing only letters, numbers, underscores, or hyphens";

/** Sends one write and gives the answer with what the service was asked. */
async function write(
  path: string,
  options: {
    body?: string | Uint8Array;
    headers?: Record<string, string | string[]>;
    outcome?: WriteOutcome | DbError;
  } = {},
) {
  let asked: WriteRequest | undefined;
  await using server = await openServer({
    services: someServices({
      write(request) {
        asked = { ...request, body: request.body.slice() };
        const outcome = options.outcome ?? STORED;
        return outcome instanceof DbError ? Promise.reject(outcome) : Promise.resolve(outcome);
      },
    }),
  });
  const { headers = {}, body = "m v=1" } = options;
  const answer = await send(server.address, { method: "POST", path, headers, body });
  return { answer, asked };
}

suite("writes", () => {
  const asked: readonly [path: string, expected: Partial<WriteRequest>][] = [
    [
      "/api/v3/write_lp?db=mydb",
      { database: "mydb", precision: "auto", acceptPartial: true, sync: true },
    ],
    [
      "/api/v3/write_lp?db=mydb&precision=ms&accept_partial=false&no_sync=true",
      { database: "mydb", precision: "millisecond", acceptPartial: false, sync: false },
    ],
    [
      "/write?db=mydb&u=me&p=secret&consistency=all",
      { database: "mydb", precision: "nanosecond", acceptPartial: true, sync: true },
    ],
    ["/write?db=mydb&precision=h&consistency=Quorum", { precision: "hour" }],
    [
      "/write?db=mydb&rp=autogen&precision=s",
      { database: "mydb", policy: { name: "autogen" }, precision: "second" },
    ],
    [
      "/write?db=mydb&rp=Weekly&precision=u",
      { database: "mydb", policy: { name: "Weekly" }, precision: "microsecond" },
    ],
    ["/write?db=mydb&accept_partial=false", { acceptPartial: true }],
    [
      "/api/v2/write?bucket=mydb&org=o&precision=ns",
      { database: "mydb", precision: "nanosecond", acceptPartial: false, sync: true },
    ],
    ["/api/v2/write?bucket=mydb/rp&orgID=1", { database: "mydb/rp" }],
  ];
  for (const [path, expected] of asked) {
    test(`POST ${path} is taken as meant`, async () => {
      const { answer, asked: request } = await write(path);
      assert.equal(answer.status, 204);
      assert.equal(answer.body, "");
      assert.equal(answer.headers["content-length"], undefined);
      assert.equal(answer.headers["x-tidelake-write-token"], "t1");
      assert.equal(answer.headers["cluster-uuid"], "99999999-8888-4777-8666-555555555555");
      assert.equal(answer.headers["access-control-allow-origin"], "*");
      assert.deepEqual({ ...request, ...expected }, request);
      assert.equal(Buffer.from(request?.body ?? []).toString(), "m v=1");
    });
  }

  const refused: readonly [path: string, status: number, body: string | RegExp][] = [
    ["/api/v3/write_lp", 400, "missing query parameter 'db'"],
    ["/api/v3/write_lp?", 400, "missing query parameter 'db'"],
    ["/api/v3/write_lp?precision=ns", 400, "serde error: missing field `db`"],
    ["/api/v3/write_lp?db=a&db=b", 400, "serde error: duplicate field `db`"],
    ["/write?db=a&consistency=most", 400, /"invalid consistency level"/],
    ["/api/v3/write_lp?db=a&precision=NS", 400, /^serde error: unknown variant `NS`, expected one/],
    ["/api/v3/write_lp?db=a&accept_partial=1", 400, /^serde error: .*`true` or `false`/],
    ["/api/v3/write_lp?db=a.b", 400, JSON.stringify({ error: CHARACTER })],
    ["/api/v3/write_lp?db=", 400, '{"error":"db name cannot be empty"}'],
    ["/api/v3/write_lp?db=_internal", 400, "cannot modify internal db"],
    ["/write?db=_internal", 400, "cannot modify internal db"],
    ["/write?db=_internal&rp=autogen", 400, "cannot modify internal db"],
    [
      "/api/v2/write?bucket=_internal",
      400,
      '{"code":"invalid","message":"cannot modify internal db"}',
    ],
    ["/write", 400, '{"error":"no db destination provided","data":null}'],
    ["/write?db=", 400, '{"error":"no db destination provided","data":null}'],
    [
      "/write?rp=x",
      400,
      '{"error":"failed to deserialize db/rp/precision in request: missing field `db`","data":null}',
    ],
    ["/write?db=a&precision=M", 400, /^{"error":"failed to deserialize db\/rp\/precision.*`M`/],
    ["/write?db=a/b&rp=c", 400, /must be of form '<db_name>\/<rp_name>'"}$/],
    ["/api/v2/write", 400, '{"code":"invalid","message":"no org/bucket destination provided"}'],
    ["/api/v2/write?org=o", 400, '{"code":"invalid","message":"missing bucket value"}'],
    ["/api/v2/write?bucket=", 400, '{"code":"invalid","message":"missing bucket value"}'],
    ["/api/v2/write?bucket=a&precision=auto", 400, /^{"code":"invalid","message":".*`auto`/],
    ["/api/v2/write?bucket=a.b", 400, JSON.stringify({ code: "invalid", message: CHARACTER })],
  ];
  for (const [path, status, body] of refused) {
    test(`POST ${path} is refused with its text`, async () => {
      const { answer, asked: request } = await write(path);
      assert.equal(answer.status, status);
      if (typeof body === "string") assert.equal(answer.body, body);
      else assert.match(answer.body, body);
      assert.equal(request, undefined);
      assert.equal(answer.headers["access-control-allow-origin"], undefined);
    });
  }

  test("an empty body is refused, but for v1", async () => {
    const text = "incoming write was empty";
    for (const [path, body] of [
      ["/api/v3/write_lp?db=a", text],
      ["/api/v2/write?bucket=a", JSON.stringify({ code: "invalid", message: text })],
    ] as const) {
      const { answer } = await write(path, { body: "" });
      assert.equal(answer.status, 400);
      assert.equal(answer.body, body);
    }
  });

  test("a body that is no UTF-8 is refused whole, on each endpoint", async () => {
    const text = "body content is not valid utf8: invalid utf-8 sequence of 1 bytes from index 7";
    for (const [path, body] of [
      ["/api/v3/write_lp?db=a", text],
      ["/write?db=a", text],
      ["/api/v2/write?bucket=a", JSON.stringify({ code: "invalid", message: text })],
    ] as const) {
      const { answer, asked: request } = await write(path, {
        body: Buffer.from("m v=1i \xff\nm v=2i", "latin1"),
      });
      assert.equal(answer.status, 400);
      assert.equal(answer.body, body);
      assert.equal(request, undefined);
    }
  });

  test("a partial write names its lines, their texts cut to 20 bytes", async () => {
    const outcome = { ...STORED, rejected: [BAD_LINE], rejectedCount: 1 };
    const { answer } = await write("/api/v3/write_lp?db=a", { outcome });
    assert.equal(answer.status, 400);
    assert.equal(
      answer.body,
      '{"error":"partial write of line protocol occurred","data":[{"original_line":"contract_wr v=2.0 17","line_number":3,"error_message":"no such thing"}]}',
    );
    assert.equal(answer.headers["content-type"], "application/json");
    assert.equal(answer.headers["x-tidelake-write-token"], "t1");
  });

  test("a line's text is cut between characters, never within one", async () => {
    for (const [text, cut] of [
      ["€€€€€€€", "€€€€€€"],
      ["aaaaaaaaaaaaaaaaaa😀", "aaaaaaaaaaaaaaaaaa"],
      ["aaaaaaaaaaaaaaaa😀b", "aaaaaaaaaaaaaaaa😀"],
      ["short", "short"],
      ["with a CRLF\r", "with a CRLF"],
    ] as const) {
      const outcome = { ...STORED, rejected: [{ ...BAD_LINE, text }], rejectedCount: 1 };
      const { answer } = await write("/api/v3/write_lp?db=a", { outcome });
      const { data } = JSON.parse(answer.body) as { data: { original_line: string }[] };
      assert.equal(data[0]?.original_line, cut);
    }
  });

  test("no more than 100 lines are named", async () => {
    const rejected = Array.from({ length: 150 }, (_, index) => ({
      ...BAD_LINE,
      lineNumber: index,
    }));
    const outcome = { ...STORED, rejected, rejectedCount: 5000 };
    const { answer } = await write("/api/v3/write_lp?db=a", { outcome });
    assert.equal((JSON.parse(answer.body) as { data: unknown[] }).data.length, 100);
  });

  test("without partial writes one line is named, as an object", async () => {
    const outcome = { ...STORED, token: undefined, rejected: [BAD_LINE], rejectedCount: 1 };
    const { answer } = await write("/api/v3/write_lp?db=a&accept_partial=false", { outcome });
    assert.equal(answer.status, 400);
    assert.equal(
      answer.body,
      '{"error":"line protocol parsing error","data":{"original_line":"contract_wr v=2.0 17","line_number":3,"error_message":"no such thing"}}',
    );
    assert.equal(answer.headers["x-tidelake-write-token"], undefined);
  });

  test("v2 names the first line and says how many more", async () => {
    const outcome = { ...STORED, rejected: [BAD_LINE, BAD_LINE], rejectedCount: 7 };
    const { answer } = await write("/api/v2/write?bucket=a", { outcome });
    assert.equal(answer.status, 400);
    assert.equal(
      answer.body,
      '{"code":"invalid","message":"line protocol parse failed: line 3: no such thing (and 6 more lines)"}',
    );
  });

  test("a limit that a line meets is 422", async () => {
    const outcome = { ...STORED, rejected: [BAD_LINE], rejectedCount: 1, limitMet: true };
    for (const path of ["/api/v3/write_lp?db=a", "/write?db=a", "/api/v2/write?bucket=a"]) {
      assert.equal((await write(path, { outcome })).answer.status, 422);
    }
  });

  const failures: readonly [error: DbError, status: number, v3: string, v2: string][] = [
    [
      new DbError("exceeded", "database_limit", "too many"),
      422,
      '{"error":"too many","data":null}',
      '{"code":"unprocessable entity","message":"too many"}',
    ],
    [
      new DbError("exceeded", "buffer_full", "full"),
      429,
      '{"error":"full","data":null}',
      '{"code":"too many requests","message":"full"}',
    ],
    [
      new DbError("unavailable", "store_unreachable", "no store"),
      503,
      '{"error":"no store"}',
      '{"code":"unavailable","message":"no store"}',
    ],
  ];
  for (const [error, status, v3, v2] of failures) {
    test(`a write that fails with ${error.code} answers ${status}`, async () => {
      const native = await write("/api/v3/write_lp?db=a", { outcome: error });
      assert.equal(native.answer.status, status);
      assert.equal(native.answer.body, v3);
      const second = await write("/api/v2/write?bucket=a", { outcome: error });
      assert.equal(second.answer.status, status);
      assert.equal(second.answer.body, v2);
      const retryAfter = status === 422 ? undefined : "1";
      assert.equal(native.answer.headers["retry-after"], retryAfter);
      assert.equal(second.answer.headers["retry-after"], retryAfter);
    });
  }

  test("write tokens come in headers and in a parameter, one or several", async () => {
    const { asked: request } = await write("/api/v3/write_lp?db=a&min_token=d,e", {
      headers: { "x-tidelake-write-token": ["a, b", "c"] },
    });
    assert.deepEqual(request?.tokens, ["a", "b", "c", "d", "e"]);
  });
});
