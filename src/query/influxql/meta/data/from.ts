/** The measurements that FROM of a SHOW means. */
import { compareText } from "#base/bytes.ts";
import { type Policy, requirePolicies, requirePolicy } from "#catalog/v1/policies.ts";
import type { MeasurementSource } from "../../ast.ts";
import type { Measurement, MetaData, PolicyTable } from "./meta-data.ts";

/** Where measurements are of which FROM says no more than the name. */
interface SourceDefaults {
  readonly database: string;
  readonly retentionPolicy: string | undefined;
}

/**
 * What FROM names, each source in its own policy or that of the request; without FROM all of that. By name. Throws `database_not_found`,
 * `policy_not_found`.
 */
export async function measurementsFrom(
  data: MetaData,
  from: readonly MeasurementSource[],
  defaults: SourceDefaults,
): Promise<readonly Measurement[]> {
  const found = new Map<string, Map<PolicyTable["table"]["id"], PolicyTable>>();
  const add = ({ name, tables }: Measurement) => {
    const known = found.get(name) ?? new Map();
    for (const table of tables) known.set(table.table.id, table);
    found.set(name, known);
  };
  const of = async (policy: Policy) => data.measurements([policy]);
  if (from.length === 0) return of(policyOf(data, undefined, defaults));
  for (const source of from) {
    const known = await of(policyOf(data, source, defaults));
    (await data.matching(known, [source.name])).forEach(add);
  }
  return [...found]
    .map(([name, tables]) => ({ name, tables: [...tables.values()] }))
    .toSorted((left, right) => compareText(left.name, right.name));
}

/** Throws `database_not_found`, `policy_not_found` where `measurementsFrom` does; reads nothing. */
export function requireSources(
  data: MetaData,
  from: readonly MeasurementSource[],
  defaults: SourceDefaults,
): void {
  if (from.length === 0) policyOf(data, undefined, defaults);
  for (const source of from) policyOf(data, source, defaults);
}

function policyOf(
  { view }: MetaData,
  source: MeasurementSource | undefined,
  { database, retentionPolicy }: SourceDefaults,
): Policy {
  const named = source?.retentionPolicy || retentionPolicy;
  return requirePolicy(view.catalog, source?.database || database, named);
}

/**
 * Where InfluxDB 1 looks at all policies of the database, whatever FROM says of them: those of its names, without FROM all. By name.
 * Throws `database_not_found`.
 */
export async function measurementsOfAll(
  data: MetaData,
  database: string,
  from: readonly MeasurementSource[],
): Promise<readonly Measurement[]> {
  const all = await data.measurements(requirePolicies(data.view.catalog, database));
  return data.matching(
    all,
    from.map(({ name }) => name),
  );
}
