/**
 * A list that grows at its end and is a value: `push` gives a new list and leaves the old one as it was.
 * Lists that grew from each other share their items, so that a push costs as much as on an array.
 */
export class AppendList<Item> implements Iterable<Item> {
  readonly length: number;
  readonly #items: Item[];

  private constructor(items: Item[], length: number) {
    this.#items = items;
    this.length = length;
  }

  static of<Item>(items: Iterable<Item> = []): AppendList<Item> {
    const own = [...items];
    return new AppendList(own, own.length);
  }

  push(item: Item): AppendList<Item> {
    const shared = this.#items.length === this.length;
    const items = shared ? this.#items : this.#items.slice(0, this.length);
    items.push(item);
    return new AppendList(items, this.length + 1);
  }

  /** The newest item. */
  get last(): Item | undefined {
    return this.length === 0 ? undefined : this.#items[this.length - 1];
  }

  /** The newest items, as far back as `take` says so; oldest first. Costs as much as they are many. */
  newestWhile(take: (item: Item) => boolean): readonly Item[] {
    let start = this.length;
    while (start > 0 && take(this.#items[start - 1] as Item)) start -= 1;
    return this.#items.slice(start, this.length);
  }

  filter(keep: (item: Item) => boolean): AppendList<Item> {
    return AppendList.of([...this].filter(keep));
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let index = 0; index < this.length; index++) yield this.#items[index] as Item;
  }
}
