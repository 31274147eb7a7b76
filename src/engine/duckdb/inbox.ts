/** What one consumer waits for: items in order, then an end, which may be an error. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #end = Promise.withResolvers<void>();
  #wake: () => void = () => undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;

  /** Whether `finish` or `fail` has come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves when `finish` or `fail` has come. */
  get end(): Promise<void> {
    return this.#end.promise;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#wake();
  }

  finish(): void {
    this.#ended = true;
    this.#end.resolve();
    this.#wake();
  }

  fail(error: unknown): void {
    this.stop(error);
    this.finish();
  }

  /** Lets `next` reject with `error` at once, while the sender may still go on. */
  stop(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  /** The next item; undefined at the end. Rejects as soon as there is an error, whatever items came before it. */
  async next(): Promise<T | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const item = this.#items.shift();
      if (item !== undefined || this.#ended) return item;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The items nobody took. */
  rest(): readonly T[] {
    return this.#items.splice(0);
  }
}
