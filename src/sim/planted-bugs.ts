/**
 * Bugs that the simulation must find: a piece of source, and what a slip would make of it. Nothing of them is in the program; `plant`
 * changes the text of a module as it is loaded, in a process of its own.
 */
import { registerHooks } from "node:module";
import { assert } from "#base/errors.ts";

export interface PlantedBug {
  /** Below src/. */
  readonly file: string;
  readonly edits: readonly { readonly find: string; readonly replace: string }[];
}

export const PLANTED_BUGS: Readonly<Record<string, PlantedBug>> = {
  acknowledge_before_put: {
    file: "ingest/flusher.ts",
    edits: [
      {
        find: "const appended = writer.appendFlush(",
        replace: `for (const { settle } of group)
        settle.resolve({ position: writer.state.position + 1, stamp, catalog: catalog.state });
      const appended = writer.appendFlush(`,
      },
    ],
  },
  nonce_ignored: {
    file: "objectlog/object-log.ts",
    edits: [{ find: "if (found?.nonce === nonce) return won;", replace: "" }],
  },
  retry_regrouped: {
    file: "ingest/flusher.ts",
    edits: [
      {
        find: "onTrouble: (error) => this.#onTrouble(error, group),",
        replace: "onTrouble: () => void this.#waiting.push(...group),",
      },
    ],
  },
  no_fence: {
    file: "nodelog/node-log-writer.ts",
    edits: [
      {
        find: "const settled = await log.append(this.state.position + 1, fence, { signal });",
        replace:
          "return; const settled = await log.append(this.state.position + 1, fence, { signal });",
      },
    ],
  },
  fence_deleted: {
    file: "nodelog/node-log-writer.ts",
    edits: [{ find: ".filter((position) => !fences.has(position))", replace: "" }],
  },
  snapshot_before_files: {
    file: "ingest/snapshotter.ts",
    edits: [
      {
        find: "await putFile(this.#options, { key: file.key, bytes: written.bytes }, signal);",
        replace:
          "putFile(this.#options, { key: file.key, bytes: written.bytes }, signal).catch(() => undefined);",
      },
    ],
  },
  snapshot_with_old_catalog: {
    file: "ingest/snapshotter.ts",
    edits: [
      { find: "await catalog.reach(writer.state.needs.catalog);", replace: "" },
      {
        find: 'assert(tableId < state.nextTableId, "the catalog knows every table of the log");',
        replace: "",
      },
    ],
  },
  buffer_dropped_early: {
    file: "view/log-source.ts",
    edits: [
      {
        find: "onNext: (next) => buffer.addMissing(next.flushes),",
        replace: `onNext: async (next) => {
      await buffer.addMissing(next.flushes);
      await buffer.retire(next.snapshotted);
    },`,
      },
    ],
  },
  adopted_ignored: {
    file: "view/view.ts",
    edits: [
      {
        find: "const adopted = adoptedOf(manifest, node);",
        replace: "const adopted = { ...adoptedOf(manifest, node), position: 0, stamp: 0n };",
      },
    ],
  },
  stamps_repeated: {
    file: "ingest/flusher.ts",
    edits: [{ find: "maxOf([writer.state.lastStamp,", replace: "maxOf([0n," }],
  },
  hole_taken_for_tail: {
    file: "objectlog/log-tracker.ts",
    edits: [{ find: "if (!certain) return;", replace: "return;" }],
  },
  push_believed_beyond_hole: {
    file: "objectlog/log-tracker.ts",
    edits: [
      {
        find: "const entry = await ahead.read(asked);",
        replace: `if (askedMax < Number.POSITIVE_INFINITY) asked = askedMax;
      const entry = await ahead.read(asked);`,
      },
      {
        find: 'assert(entry.position === this.#next, "entries are applied without holes");',
        replace: "",
      },
    ],
  },
  pushes_alone: {
    file: "lifecycle/log-follower.ts",
    edits: [
      {
        find: "await this.#nap.take(pauseMs, signal);",
        replace: "await this.#nap.take(600_000, signal);",
      },
    ],
  },
  silent_peer_believed: {
    file: "lifecycle/contact/contacts.ts",
    edits: [
      {
        find: "return this.#ageOf(word) <= WORD_MS_MAX ? word : undefined;",
        replace: "return word;",
      },
    ],
  },
  hearsay_without_age: {
    file: "lifecycle/contact/contacts.ts",
    edits: [{ find: "asOfMs: askedMs - ageMs", replace: "asOfMs: askedMs" }],
  },
  word_one_entry_short: {
    file: "lifecycle/contact/contacts.ts",
    edits: [
      {
        find: "tail: this.#options.ownTail(),",
        replace: "tail: Math.max(0, (this.#options.ownTail() ?? 0) - 1),",
      },
    ],
  },
  void_fence_believed: {
    file: "nodelog/node-log-writer.ts",
    edits: [{ find: "if (await this.#tracker.restoreNewest()) continue;", replace: "" }],
  },
  closing_without_fence: {
    file: "node/members/close-log.ts",
    edits: [
      {
        find: "log: new ObjectLog(nodeLogPrefix(nodeId), ports),",
        replace: `log: (() => {
      const unfenced = new ObjectLog(nodeLogPrefix(nodeId), ports);
      const append = unfenced.append.bind(unfenced);
      return Object.assign(unfenced, {
        append: (position, record, options) =>
          record.kind === "fence"
            ? Promise.resolve({ won: true, entry: { ...record, position, nonce: "" } })
            : append(position, record, options),
      });
    })(),`,
      },
    ],
  },
  plan_on_stale_state: {
    file: "compaction/compactor.ts",
    edits: [
      {
        find: "const task = this.#planner.next(catalog.state, manifest.state, clock.nowNs());",
        // Rows double with each such plan: three are enough.
        replace: `const planned = (this.lies ?? 0) < 3 ? (this.before ?? manifest.state) : manifest.state;
    if (planned !== manifest.state) this.lies = (this.lies ?? 0) + 1;
    this.before = manifest.state;
    const task = this.#planner.next(catalog.state, planned, clock.nowNs());`,
      },
      {
        find: "if (held.get(file.key)?.stampAbove !== stampAbove) return undefined;",
        replace: "if (held.get(file.key)?.stampAbove !== stampAbove) continue;",
      },
      {
        find: "const inputs = plan.inputs.map(({ file }) => file.key);",
        replace:
          "const inputs = plan.inputs.map(({ file }) => file.key).filter((key) => held.has(key));",
      },
    ],
  },
  row_folded_with_older_field: {
    file: "engine/plain/compact.ts",
    edits: [
      {
        find: "fields.every((index) => !has(row, index) || newer.some((one) => has(one, index)));",
        replace: "true;",
      },
    ],
  },
  inputs_deleted_before_entry: {
    file: "compaction/compactor.ts",
    edits: [
      {
        find: "published = await publishPlan(",
        replace: `for (const { file } of task.plan.inputs) await this.#options.store.delete(file.key);
      published = await publishPlan(`,
      },
    ],
  },
  orphans_without_take_over: {
    file: "compaction/garbage/sweep.ts",
    edits: [{ find: "term < office.epoch", replace: "term <= office.epoch" }],
  },
  standby_deletes_too: {
    file: "compaction/garbage/sweep.ts",
    edits: [
      { find: "await manifest.refreshIn(office)", replace: "await manifest.refresh()" },
      { find: "keepOrphaned(keys, newest, logs());", replace: "" },
      {
        find: `deletable.map(({ key }) => key),
      signal,`,
        replace: `deletable.map(({ key }) => key),
      new AbortController().signal,`,
      },
    ],
  },
  plan_published_after_take_over: {
    file: "manifest/manifest.ts",
    edits: [
      {
        find: `      refuseWhenOver(current, office);
      const plan`,
        replace: "      const plan",
      },
    ],
  },
  delete_cut_of_what_was_read: {
    file: "lifecycle/deletes/row-deletes.ts",
    edits: [
      {
        find: "await untilAborted(loadTail(log, known.get(node.number)), signal);",
        replace: "known.get(node.number) ?? (await loadTail(log));",
      },
    ],
  },
  delete_tail_not_certain: {
    file: "lifecycle/deletes/log-tail.ts",
    edits: [{ find: "certain: true", replace: "certain: false" }],
  },
  delete_left_early: {
    file: "compaction/garbage/finished-deletes.ts",
    edits: [
      {
        find: "one.cuts.every(({ node, stamp }) => adoptedOf(manifest, node).stamp >= stamp) &&",
        replace: "",
      },
    ],
  },
  delete_left_without_manifest: {
    file: "compaction/garbage/finished-deletes.ts",
    edits: [
      {
        find: "manifest: state.position };",
        replace: "manifest: 0 };",
      },
    ],
  },
  delete_not_carried_out: {
    file: "compaction/compactor.ts",
    edits: [{ find: "        deletes,\n        rowCountMax", replace: "        rowCountMax" }],
  },
  delete_taken_for_known: {
    file: "compaction/compactor.ts",
    edits: [
      {
        find: "      deletesBelow,\n    };",
        replace: "      deletesBelow: this.#options.catalog.state.nextDeleteId,\n    };",
      },
    ],
  },
  row_folded_with_other_node: {
    file: "engine/plain/compact.ts",
    edits: [{ find: "&& nodeOfStamp(stamp) === nodeOfStamp(row.stamp)", replace: "" }],
  },
  checkpoint_epoch_ignored: {
    file: "nodelog/node-log-writer.ts",
    edits: [
      {
        find: "if (this.state.epoch >= writer.epoch) throw this.#refuse(this.state.epoch);",
        replace: "",
      },
    ],
  },
};

/** Loads every module from here on as it would be with the bug `name`, which may be in several of them. */
export function plant(
  name: string,
  bugs: Readonly<Record<string, PlantedBug | readonly PlantedBug[]>> = PLANTED_BUGS,
): void {
  const bug = bugs[name];
  assert(bug !== undefined, `there is no planted bug ${name}`);
  const places = [bug].flat();
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const place = places.find(({ file }) => url.endsWith(`/src/${file}`));
      if (place === undefined) return loaded;
      return { ...loaded, source: withBug(loaded.source, name, place) };
    },
  });
}

/** The text of a module as the bug `name` makes it. */
export function withBug(source: unknown, name: string, { edits }: PlantedBug): string {
  assert(typeof source === "string" || source instanceof Uint8Array, "a module has a text");
  const original = typeof source === "string" ? source : Buffer.from(source).toString();
  return edits.reduce((text, { find, replace }) => {
    const parts = text.split(find);
    assert(parts.length === 2, `planted bug ${name}: its place is not in the source once`);
    return parts.join(replace);
  }, original);
}
