import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import type { WriteOutcome } from "#ingest/write.ts";
import { openServer, send, someServices } from "#testing/http.ts";

const STORED: WriteOutcome = { token: "t1", rejected: [], rejectedCount: 0, limitMet: false };
const KIND = "iox::column_type::field::";

/** Refuses lines as `rejected` says: in one write after the other. */
function write(...outcomes: readonly (Partial<WriteOutcome> | DbError)[]) {
  return writeBody("m f=1", ...outcomes);
}

async function writeBody(sent: string, ...outcomes: readonly (Partial<WriteOutcome> | DbError)[]) {
  const left = [...outcomes];
  const bodies: string[] = [];
  await using server = await openServer({
    services: someServices({
      write({ body }) {
        bodies.push(Buffer.from(body).toString());
        const outcome = left.shift() ?? {};
        if (outcome instanceof DbError) return Promise.reject(outcome);
        const rejectedCount = outcome.rejected?.length ?? 0;
        return Promise.resolve({ ...STORED, rejectedCount, ...outcome });
      },
    }),
  });
  const answer = await send(server.address, { method: "POST", path: "/write?db=a", body: sent });
  const error =
    answer.body === "" ? undefined : (JSON.parse(answer.body) as { error: string }).error;
  return { answer, bodies, error };
}

function line(text: string, message = "wrong") {
  return { lineNumber: 1, text, message };
}

function conflict(name: string, expected: string, got: string): string {
  return `invalid column type for column '${name}', expected ${KIND}${expected}, got ${KIND}${got}`;
}

suite("/write of InfluxDB 1", () => {
  test("a body without lines is taken", async () => {
    const { answer } = await write(new DbError("invalid", "write_empty", "empty"));
    assert.equal(answer.status, 204);
  });

  test("a tag with the name of a field of its line goes by another, in all lines that have one", async () => {
    const twins = "m,a=1,b=x a=1i 1\nm f=1 2\nm,a\\ b=1 a\\ b=2 3\n# m,a=1 a=1\n";
    const refused = {
      lineNumber: 1,
      text: "m,a=1,b=x a=1i 1",
      message:
        "invalid column type for column 'a', expected iox::column_type::tag, got iox::column_type::field::integer",
    };
    const { answer, bodies } = await writeBody(
      twins,
      { rejected: [refused], rejectedCount: 2 },
      {},
    );
    assert.equal(answer.status, 204);
    assert.deepEqual(bodies[1]?.split("\n"), ["m,a_1=1,b=x a=1i 1", "m,a\\ b_1=1 a\\ b=2 3", ""]);
  });

  test("lines that it refuses are told in its words, and that others were stored", async () => {
    const rejected = [line(" \tcpu"), line("cpu u=abc 1")];
    const all =
      "unable to parse 'cpu': missing fields\nunable to parse 'cpu u=abc 1': invalid boolean";
    const { answer, error } = await write({ rejected });
    assert.equal(answer.status, 400);
    assert.equal(error, `partial write: ${all} dropped=0`);
    assert.equal(answer.headers["x-influxdb-error"], error.replace("\n", "?"));
    assert.equal(answer.headers["x-tidelake-write-token"], "t1");
    assert.equal((await write({ rejected, token: undefined })).error, all);
    const more = await write({ rejected, rejectedCount: 5, token: undefined });
    assert.equal(more.error, `${all}\n(and 3 more lines)`);
  });

  test("lines that do not fit their table are counted, and the first is told", async () => {
    const rejected = [
      line("cpu\\ x,t=a u=1i", conflict("u", "float", "integer")),
      line("bad"),
      line("cpu u=2i", conflict("u", "float", "uinteger")),
    ];
    assert.equal(
      (await write({ rejected })).error,
      'partial write: field type conflict: input field "u" on measurement "cpu x" is type integer, already exists as type float dropped=2',
    );
    const time =
      "invalid column type for column 'time', expected iox::column_type::timestamp, got ";
    assert.match(
      (await write({ rejected: [line("cpu time=1", `${time}${KIND}float`)] })).error ?? "",
      /: invalid field name: input field "time" on measurement "cpu" is invalid dropped=1$/,
    );
    assert.match(
      (await write({ rejected: [line("cpu,time=x u=1", `${time}iox::column_type::tag`)] })).error ??
        "",
      /: invalid tag key: input tag "time" on measurement "cpu" is invalid dropped=1$/,
    );
  });

  test("lines that it takes although our grammar does not are stored as both read them", async () => {
    const { answer, bodies } = await write({ rejected: [line("cpu u=.5,u=5. 1")] }, {});
    assert.equal(answer.status, 204);
    assert.deepEqual(bodies, ["m f=1", "cpu u=5.0 1\n"]);
    const again = await write(
      { rejected: [line("cpu u=.5 1"), line("x")], token: undefined },
      { rejected: [line("cpu u=0.5 1", conflict("u", "string", "float"))], token: undefined },
    );
    assert.match(again.error ?? "", /on measurement "cpu" is type float, .* dropped=1$/);
  });

  test("the outermost instants, which mean something else to it, are refused", async () => {
    const { answer, bodies, error } = await writeBody(
      "m f=1 -9223372036854775808\nm f=2 1\nm f=3 9223372036854775806",
    );
    assert.equal(answer.status, 400);
    assert.deepEqual(bodies, ["m f=2 1\nm f=3 9223372036854775806"]);
    assert.equal(
      error,
      "partial write: unable to parse 'm f=1 -9223372036854775808': time outside range -9223372036854775806 - 9223372036854775806 dropped=0",
    );
  });

  test("rows that are past their retention are counted", async () => {
    const { answer, error } = await write({ expiredCount: 3 });
    assert.equal(answer.status, 400);
    assert.equal(error, "partial write: points beyond retention policy dropped=3");
  });

  test("a limit is told with its status", async () => {
    const message = "Update to schema would exceed number of tables limit";
    const { answer, error } = await write({ rejected: [line("cpu u=1", message)], limitMet: true });
    assert.equal(answer.status, 422);
    assert.equal(error, `partial write: ${message} dropped=1`);
  });

  test("what fails otherwise is no answer about lines", async () => {
    const { answer } = await write(new DbError("unavailable", "x", "later"));
    assert.equal(answer.status, 503);
  });
});
