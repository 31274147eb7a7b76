import type { Settings } from "../options.ts";

/** What quick start makes up: values for options that were not given, and what it says about them. */
export interface QuickStart {
  readonly defaults: Readonly<Record<string, string>>;
  readonly notices: readonly string[];
}

const FALLBACK = "primary";

/** Chooses what `settings` leave open, so that a node starts on this machine with `directory` as its store. */
export function quickStart(
  settings: Settings,
  machine: { readonly hostname: string; readonly directory: string },
): QuickStart {
  const host = idOf(machine.hostname);
  const defaults: Record<string, string> = {};
  const notices: string[] = [];
  if (settings.find("node-id") === undefined && settings.find("node-id-from-env") === undefined) {
    defaults["node-id"] = `${host}-node`;
    notices.push(generated("node", `${host}-node`));
  }
  if (settings.find("cluster-id") === undefined) {
    defaults["cluster-id"] = `${host}-cluster`;
    notices.push(generated("cluster", `${host}-cluster`));
  }
  if (settings.find("object-store") === undefined) defaults["object-store"] = "file";
  const store = settings.find("object-store") ?? "file";
  if (store === "file" && settings.find("data-dir") === undefined) {
    defaults["data-dir"] = machine.directory;
    notices.push(
      `Using the folder ${machine.directory} as object store. For production deployments, explicitly set --object-store and --data-dir`,
    );
  }
  return { defaults, notices };
}

function generated(what: "node" | "cluster", id: string): string {
  return `Using auto-generated ${what} id: ${id}. For production deployments, explicitly set --${what}-id`;
}

/** `hostname` with what no id may hold replaced. */
function idOf(hostname: string): string {
  const id = hostname
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .replace(/-+$/, "")
    .slice(0, 100);
  return id === "" ? FALLBACK : id;
}
