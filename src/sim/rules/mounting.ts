import { registerHooks } from "node:module";
import { assert } from "#base/errors.ts";
import { type PlantedBug, withBug } from "../planted-bugs.ts";

/**
 * Loads `specifier`, a path from this file, and all that it imports as modules of their own, with `bug` in them under `name`. Modules that are
 * loaded otherwise are not touched. `use` gets the module; what it imports later is of the same kind.
 */
export async function withMounted<Result>(
  { bug, name, specifier }: { bug: PlantedBug; name: string; specifier: string },
  use: (module: unknown) => Promise<Result>,
): Promise<Result> {
  const mark = `?slip=${name}`;
  let planted = false;
  const hooks = registerHooks({
    resolve(asked, context, nextResolve) {
      const resolved = nextResolve(asked, context);
      const ours = resolved.url.startsWith("file:") && !resolved.url.includes("/node_modules/");
      const marked = context.parentURL?.endsWith(mark) === true && ours;
      return marked ? { ...resolved, url: `${resolved.url}${mark}` } : resolved;
    },
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(`/src/${bug.file}${mark}`)) return loaded;
      const source = withBug(loaded.source, name, bug);
      planted = true;
      return { ...loaded, source };
    },
  });
  try {
    const result = await use(await import(`${specifier}${mark}`));
    assert(planted, `the slip ${name} is in a module that is used`);
    return result;
  } finally {
    hooks.deregister();
  }
}
