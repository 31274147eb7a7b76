/** What a script's command answers. */
export class Output {
  #lines: string[] = [];
  #indent = "";
  /** Nothing is kept while this is set. */
  quiet = false;

  write(text: string): void {
    if (this.quiet) return;
    for (const line of text.split("\n")) this.#lines.push(this.#indent + line);
  }

  /** What `work` writes stands two columns to the right. */
  indented(work: () => void): void {
    const before = this.#indent;
    this.#indent = `${before}  `;
    try {
      work();
    } finally {
      this.#indent = before;
    }
  }

  /** All that was written since the last time. */
  take(): string {
    const text = this.#lines.join("\n");
    this.#lines = [];
    return text;
  }
}
