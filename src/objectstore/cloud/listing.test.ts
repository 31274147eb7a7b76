import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Listing } from "./listing.ts";

const UNSAFE = { kind: "unsupported", code: "store_unsafe", message: /has no end/ } as const;

suite("a list in pages", () => {
  test("ends where no page follows, or enough is there", () => {
    const listing = new Listing({ countMax: 2 });
    listing.add("a", 1);
    assert.equal(listing.turn("next"), "next");
    for (const none of [undefined, ""]) assert.equal(listing.turn(none), undefined);
    listing.add("b", 1);
    assert.equal(listing.turn("further"), undefined);
  });

  test("is not believed when a page leads to itself", () => {
    const listing = new Listing();
    listing.turn("one");
    assert.throws(() => listing.turn("one"), UNSAFE);
  });

  test("is not believed when page after page brings nothing, whatever they are called", () => {
    const listing = new Listing();
    assert.throws(() => {
      for (let count = 0; count <= 20_000; count++) listing.turn(`page ${count}`);
    }, UNSAFE);
  });

  test("may have many pages of what is none of ours, between its own", () => {
    const listing = new Listing();
    for (let count = 10_000; count < 40_000; count++) {
      listing.add("not a key", 1);
      if (count % 5_000 === 0) listing.add(`key/${count}`, 1);
      listing.turn(`page ${count}`);
    }
    assert.equal(listing.found.length, 6);
  });
});
