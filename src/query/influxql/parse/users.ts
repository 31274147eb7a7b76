import type { Privilege, UserStatement } from "../ast.ts";
import type { Cursor } from "./tokens/cursor.ts";
import { parseString } from "./values.ts";

/** Behind CREATE USER. */
export function parseCreateUser(cursor: Cursor): UserStatement {
  const name = cursor.expectName();
  cursor.expect("WITH", "PASSWORD");
  const password = parseString(cursor);
  const admin = cursor.accept("WITH");
  if (admin) cursor.expect("ALL", "PRIVILEGES");
  return { kind: "create_user", name, password, admin };
}

/** Behind SET. */
export function parseSetPassword(cursor: Cursor): UserStatement {
  cursor.expect("PASSWORD", "FOR");
  const name = cursor.expectName();
  cursor.expect("=");
  return { kind: "set_password", name, password: parseString(cursor) };
}

/** Behind GRANT or REVOKE. Without ON the user becomes, or is no longer, an administrator; ALL PRIVILEGES alone can say so. */
export function parsePrivileges(cursor: Cursor, kind: "grant" | "revoke"): UserStatement {
  const privilege = parsePrivilege(cursor);
  const toUser = kind === "grant" ? "TO" : "FROM";
  const token = cursor.next();
  if (token.kind === "ON") {
    const database = cursor.expectName();
    cursor.expect(toUser);
    return { kind, privilege, database, user: cursor.expectName() };
  }
  if (privilege !== "ALL PRIVILEGES") throw cursor.unexpected(token, "ON");
  if (token.kind !== toUser) throw cursor.unexpected(token, "ON", toUser);
  return { kind, privilege, database: undefined, user: cursor.expectName() };
}

function parsePrivilege(cursor: Cursor): Privilege {
  const token = cursor.next();
  if (token.kind === "READ" || token.kind === "WRITE") return token.kind;
  if (token.kind !== "ALL") throw cursor.unexpected(token, "READ", "WRITE", "ALL [PRIVILEGES]");
  cursor.accept("PRIVILEGES");
  return "ALL PRIVILEGES";
}
