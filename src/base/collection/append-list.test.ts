import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { AppendList } from "./append-list.ts";

suite("append list", () => {
  test("a push leaves the list it came from as it was", () => {
    const one = AppendList.of([1]);
    const two = one.push(2);
    const other = one.push(3);
    assert.deepEqual([[...one], [...two], [...other]], [[1], [1, 2], [1, 3]]);
    assert.deepEqual([...two.push(4)], [1, 2, 4]);
  });

  test("filter gives a list of its own", () => {
    const list = AppendList.of([1, 2, 3]);
    const odd = list.filter((item) => item % 2 === 1);
    assert.deepEqual([...odd.push(5)], [1, 3, 5]);
    assert.deepEqual([...list], [1, 2, 3]);
  });

  test("the newest items are read from the end, as far as they are wanted", () => {
    const list = AppendList.of([1, 2, 3]);
    list.push(4);
    assert.deepEqual(
      list.newestWhile((item) => item > 1),
      [2, 3],
    );
    assert.deepEqual(
      list.newestWhile(() => true),
      [1, 2, 3],
    );
    const asked: number[] = [];
    const none = list.newestWhile((item) => {
      asked.push(item);
      return false;
    });
    assert.deepEqual([none, asked], [[], [3]]);
  });
});
