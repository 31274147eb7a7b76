import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { checkLinearizable, type Operation } from "./linearizable.ts";

type Action = Operation["action"];

function operation(
  action: Action,
  calledMs: number,
  answeredMs?: number,
  answer?: string | boolean,
): Operation {
  return { key: "a", action, calledMs, answeredMs, answer };
}

const write = (value: string): Action => ({ kind: "write", value });
const swap = (expected: string, value: string): Action => ({ kind: "swap", expected, value });
const read: Action = { kind: "read" };

/** By trying all orders, and all choices of what happened. */
function isLinearizable(history: readonly Operation[]): boolean {
  return canGoOn(history, "");
}

function canGoOn(left: readonly Operation[], value: string): boolean {
  const answered = left.filter(({ answeredMs }) => answeredMs !== undefined);
  if (answered.length === 0) return true;
  const firstMs = Math.min(...answered.map(({ answeredMs }) => answeredMs ?? 0));
  return left.some((next) => {
    if (next.calledMs > firstMs) return false;
    const { action, answer } = next;
    const rest = left.filter((other) => other !== next);
    if (action.kind === "read")
      return (answer === undefined || answer === value) && canGoOn(rest, value);
    if (action.kind === "write") return canGoOn(rest, action.value);
    const wrote = action.expected === value;
    return (
      (answer === undefined || answer === wrote) && canGoOn(rest, wrote ? action.value : value)
    );
  });
}

suite("the check of histories", () => {
  const cases: readonly (readonly [string, readonly Operation[], boolean])[] = [
    [
      "a read sees the write before it",
      [operation(write("x"), 0, 1, true), operation(read, 2, 3, "x")],
      true,
    ],
    [
      "a read misses the write before it",
      [operation(write("x"), 0, 1, true), operation(read, 2, 3, "")],
      false,
    ],
    [
      "a read beside a write sees it or not",
      [operation(write("x"), 0, 9, true), operation(read, 2, 3, "")],
      true,
    ],
    [
      "two reads see a write beside them go and come",
      [operation(write("x"), 0, 9, true), operation(read, 1, 2, "x"), operation(read, 3, 4, "")],
      false,
    ],
    [
      "a write without an answer is seen later",
      [operation(write("x"), 0), operation(read, 5, 6, "x")],
      true,
    ],
    [
      "a write is seen before it was called",
      [operation(read, 0, 1, "x"), operation(write("x"), 2, 3, true)],
      false,
    ],
    [
      "two swaps of one value both write",
      [operation(swap("", "x"), 0, 1, true), operation(swap("", "y"), 2, 3, true)],
      false,
    ],
    [
      "a swap fails because of one without an answer",
      [operation(swap("", "x"), 0), operation(swap("", "y"), 2, 3, false)],
      true,
    ],
  ];
  for (const [name, history, allowed] of cases)
    test(`${name}: ${allowed ? "allowed" : "a violation"}`, () => {
      assert.equal(checkLinearizable(history).kind, allowed ? "linearizable" : "violation");
    });

  test("agrees with the trial of all orders", () => {
    const value = fc.constantFrom("", "x", "y");
    const action = fc.oneof(
      value.map(write),
      fc.tuple(value, value).map(([expected, to]) => swap(expected, to)),
      fc.constant(read),
    );
    const any = fc
      .record({
        action,
        calledMs: fc.nat(12),
        forMs: fc.nat(6),
        lost: fc.nat(4),
        seen: value,
        wrote: fc.boolean(),
      })
      .map(({ action: done, calledMs, forMs, lost, seen, wrote }) => {
        if (lost === 0) return operation(done, calledMs);
        return operation(
          done,
          calledMs,
          calledMs + forMs + 0.5,
          done.kind === "read" ? seen : done.kind === "write" || wrote,
        );
      });
    let violations = 0;
    fc.assert(
      fc.property(fc.array(any, { maxLength: 6 }), (history) => {
        const allowed = isLinearizable(history);
        if (!allowed) violations += 1;
        assert.equal(checkLinearizable(history).kind, allowed ? "linearizable" : "violation");
      }),
      { numRuns: 3_000 },
    );
    assert.ok(violations > 300, `${violations} violations`);
  });

  test("takes a long history of many clients, and finds the one read in it that is too old", () => {
    const history: Operation[] = [];
    for (let index = 0; index < 3_000; index++) {
      const lost = index % 50 === 0;
      history.push(
        operation(
          write(`${index}`),
          index * 3,
          lost ? undefined : index * 3 + 5,
          lost ? undefined : true,
        ),
      );
      if (index % 10 === 9)
        history.push(operation(read, index * 3 + 2.5, index * 3 + 2.6, `${index}`));
    }
    assert.equal(checkLinearizable(history).kind, "linearizable");
    history.push(operation(read, 9_100, 9_101, "1509"));
    assert.equal(checkLinearizable(history).kind, "violation");
  });
});
