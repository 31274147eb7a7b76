import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { memoryStore } from "#objectstore/memory.ts";
import { silentLog } from "#ports/log.ts";
import { accessOn, adminOf } from "#testing/access.ts";
import { findExpiryWarning, watchOperatorExpiry } from "./operator-expiry.ts";

const DAY_MS = 86_400_000;
const DAY_NS = 86_400_000_000_000n;

/** A cluster whose operator's token was brought, and ends in `days`. */
async function given(days: bigint | undefined) {
  const world = accessOn(memoryStore());
  const { clock, tokens } = world;
  const expiresAtNs = days === undefined ? undefined : clock.nowNs() + days * DAY_NS;
  await tokens.adopt({ text: `apiv3_${"g".repeat(43)}`, name: "brought", expiresAtNs });
  return world;
}

suite("an operator's token that ends", () => {
  test("is spoken of with its days, and with what to do before and after", async () => {
    const { catalog, clock } = await given(40n);
    const say = () => findExpiryWarning(catalog, clock.nowNs()) ?? "";
    assert.match(say(), /'brought' expires in 40 days, on 2.*'create token --admin --regenerate'/);
    await clock.advance(39 * DAY_MS + 1);
    assert.match(say(), /expires in 1 day, /);
    await clock.advance(DAY_MS);
    assert.match(say(), /'brought' expired on 2.*--admin-token-recovery-http-bind/);
  });

  test("is spoken of every day when its end is near, until it is replaced by one without an end", async () => {
    const { catalog, clock, tokens } = await given(32n);
    const said: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void said.push(message) };
    const stop = new AbortController();
    const watching = watchOperatorExpiry({ catalog, clock, log }, stop.signal);
    await clock.advance(DAY_MS);
    assert.deepEqual(said, []);
    await clock.advance(DAY_MS);
    await clock.advance(DAY_MS);
    assert.deepEqual(
      said.map((text) => /in (\d+) days/.exec(text)?.[1]),
      ["30", "29"],
    );
    await clock.advance(40 * DAY_MS);
    assert.match(said.at(-1) ?? "", /expired on/);
    const count = said.length;
    const { record } = await tokens.recoverOperator();
    assert.equal(adminOf({ record, text: "" }).token.expiresAtNs, undefined);
    await clock.advance(5 * DAY_MS);
    assert.equal(said.length, count);
    assert.equal(findExpiryWarning(catalog, clock.nowNs()), undefined);
    stop.abort();
    await watching;
    assert.equal(clock.sleeperCount, 0);
  });

  test("is not spoken of where it has no end, or is not there", async () => {
    const { catalog, clock } = await given(undefined);
    assert.equal(findExpiryWarning(catalog, clock.nowNs()), undefined);
    const none = accessOn(memoryStore());
    assert.equal(findExpiryWarning(none.catalog, none.clock.nowNs()), undefined);
  });
});
