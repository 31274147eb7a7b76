/**
 * Numbers the domains of a body: the texts of one are to differ from each other, and are those of one column of one table. Counted as they
 * are asked for, so a body has fewer of them than bytes, however many tables and columns it has, and no two columns share one.
 */
export class DomainCounter {
  #count = 0;

  next(): number {
    this.#count += 1;
    return this.#count;
  }
}

/** Those of the columns of one table. */
export class Domains {
  readonly #counter: DomainCounter;
  readonly #byColumn = new Map<number, number>();

  constructor(counter: DomainCounter) {
    this.#counter = counter;
  }

  of(column: number): number {
    const known = this.#byColumn.get(column);
    if (known !== undefined) return known;
    const domain = this.#counter.next();
    this.#byColumn.set(column, domain);
    return domain;
  }
}
