import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isKind } from "#base/errors.ts";
import type { TokenRecord } from "#catalog/tokens.ts";
import type { NodeNumber, TokenId } from "#model/ids.ts";
import { type Action, authorize, isOpen } from "./authorize.ts";
import { EVERYBODY, NOBODY, type Principal } from "./principal.ts";

function admin(id: number): Principal {
  const token: TokenRecord = {
    id: id as TokenId,
    name: "n",
    hash: "",
    grant: { kind: "admin" },
    createdAtNs: 0n,
  };
  return { kind: "admin", token };
}

const PRINCIPALS = {
  nobody: NOBODY,
  everybody: EVERYBODY,
  operator: admin(0),
  admin: admin(7),
  node: {
    kind: "node",
    from: { node: 1 as NodeNumber, epoch: 1 },
    number: 1,
    bodyHash: "",
    proveAnswer: () => "",
  },
} as const satisfies Record<string, Principal>;

const USERS = ["everybody", "operator", "admin"] as const;

/** Who may do each thing. A new action does not compile before it stands here. */
const ALLOWED: Readonly<Record<Action, readonly (keyof typeof PRINCIPALS)[]>> = {
  open: ["nobody", "everybody", "operator", "admin", "node"],
  call_node: ["node"],
  see_health: USERS,
  see_version: USERS,
  see_metrics: USERS,
  write: USERS,
  query: USERS,
  configure: USERS,
  run_plugins: USERS,
  manage_tokens: USERS,
  replace_operator_token: ["everybody", "operator"],
  look_around: USERS,
};

suite("who may do what", () => {
  for (const [action, allowed] of Object.entries(ALLOWED) as [Action, readonly string[]][]) {
    for (const [name, principal] of Object.entries(PRINCIPALS)) {
      const may = allowed.includes(name);
      test(`${name} ${may ? "may" : "may not"} ${action}`, () => {
        if (may) return authorize(principal, action);
        const code = name === "nobody" ? "unauthenticated" : "forbidden";
        assert.throws(
          () => authorize(principal, action),
          (error) => isKind(error, "denied") && error.code === code,
        );
      });
    }
  }

  test("without authorization all is open but what nodes say to each other", () => {
    const policy = { withoutAuth: true, openActions: [] };
    for (const action of Object.keys(ALLOWED) as Action[])
      assert.equal(isOpen(policy, action), action !== "call_node", action);
  });

  test("with it, that is open which is named", () => {
    const openActions: Action[] = ["see_health", "call_node"];
    const policy = { withoutAuth: false, openActions };
    const open = (Object.keys(ALLOWED) as Action[]).filter((action) => isOpen(policy, action));
    assert.deepEqual(open, ["open", "see_health"]);
  });
});
