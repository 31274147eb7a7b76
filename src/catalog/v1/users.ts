import { assert } from "#base/errors.ts";
import { v } from "#base/schema.ts";

/** A user as statements of InfluxDB 1 make them. */
export interface UserRecord {
  readonly name: string;
  /** What `access/passwords.ts` makes of the password. */
  readonly password: string;
  readonly admin: boolean;
  /** By database, each once, in order of the first grant. */
  readonly grants: readonly UserGrant[];
}

export interface UserGrant {
  /** As InfluxDB 1 names it: with all its retention policies. */
  readonly database: string;
  /** `none`: what there was is taken back. */
  readonly privilege: UserPrivilege;
}

export type UserPrivilege = "none" | "read" | "write" | "all";

/** The users of a catalog. */
export interface UserState {
  /** By name, in order of their creation. The same map as long as no user changes. */
  readonly users: ReadonlyMap<string, UserRecord>;
}

export const userSchema = v.object({
  name: v.string(),
  password: v.string(),
  admin: v.boolean(),
  grants: v.pipe(
    v.array(
      v.object({
        database: v.string(),
        privilege: v.picklist(["none", "read", "write", "all"]),
      }),
    ),
    v.readonly(),
  ),
});

/** The changes of users, as they are stored. */
export const userChangeSchemas = [
  v.object({ kind: v.literal("set_user"), user: userSchema }),
  v.object({ kind: v.literal("drop_user"), name: v.string() }),
] as const;

export type UserChange = v.InferOutput<(typeof userChangeSchemas)[number]>;

/** `state` after `change`. */
export function applyUserChange(state: UserState, change: UserChange): UserState {
  const users = new Map(state.users);
  switch (change.kind) {
    case "set_user":
      users.set(change.user.name, change.user);
      return { users };
    case "drop_user":
      assert(users.delete(change.name), "the user is there");
      return { users };
  }
}
