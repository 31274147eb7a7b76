/** The types that lists, structs and maps can have together, part by part. */
import type { Expression } from "#model/query/expression.ts";
import { listOf, structOf, type ValueType } from "#model/query/value-type.ts";

type PartedType = Extract<ValueType, { readonly kind: "list" | "struct" | "map" }>;
type CommonType = (expressions: readonly Expression[]) => ValueType | undefined;

export function isParted(type: ValueType): type is PartedType {
  return typeof type === "object" && ["list", "struct", "map"].includes(type.kind);
}

/**
 * The type that values of all these, at least one of which is a list, a struct or a map, can have together; undefined when there is
 * none. Structs go together by the order of their members, and have the first one's names. `common` says it of their parts.
 */
export function commonParted(
  expressions: readonly Expression[],
  common: CommonType,
): ValueType | undefined {
  const types = expressions.map(({ type }) => type).filter((type) => type !== "null");
  const [first] = types;
  if (first === undefined || !isParted(first)) return undefined;
  const alike = types.filter((type) => isParted(type) && type.kind === first.kind) as PartedType[];
  if (alike.length < types.length) return undefined;
  const parts = alike.map(partsOf);
  const count = partsOf(first).length;
  if (parts.some((list) => list.length !== count)) return undefined;
  const joined = Array.from({ length: count }, (_, index) =>
    common(parts.map((list) => valueOf(list[index] ?? "null"))),
  );
  if (joined.includes(undefined)) return undefined;
  return withParts(first, joined as ValueType[]);
}

/** A value of `type`, of which nothing else is known. */
export function valueOf(type: ValueType): Expression {
  return { kind: "input", index: 0, type };
}

/** Whether a cast of one of these exists, as `canCast` says of their parts. */
export function canCastParted(
  source: ValueType,
  target: ValueType,
  canCast: (source: ValueType, target: ValueType) => boolean,
): boolean {
  if (!isParted(source)) return false;
  if (target === "string") return true;
  if (!isParted(target) || source.kind !== target.kind) return false;
  const [from, to] = [partsOf(source), partsOf(target)];
  return (
    from.length === to.length &&
    from.every((type, index) => type === "null" || canCast(type, to[index] ?? "null"))
  );
}

function partsOf(type: PartedType): readonly ValueType[] {
  switch (type.kind) {
    case "list":
      return [type.item];
    case "struct":
      return type.members.map((member) => member.type);
    case "map":
      return [type.key, type.value];
  }
}

function withParts(type: PartedType, parts: readonly ValueType[]): ValueType {
  const part = (index: number) => parts[index] ?? "null";
  switch (type.kind) {
    case "list":
      return listOf(part(0));
    case "struct":
      return structOf(type.members.map(({ name }, index) => ({ name, type: part(index) })));
    case "map":
      return { kind: "map", key: part(0), value: part(1) };
  }
}
