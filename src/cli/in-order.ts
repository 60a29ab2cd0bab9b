/** Lines of several experiments, which finish as they like, in the order in which they were asked for. */
export class InOrder {
  private readonly kept: Map<string, string[]>;
  private readonly done = new Set<string>();

  constructor(
    names: readonly string[],
    private readonly write: (text: string) => void,
  ) {
    this.kept = new Map(names.map((name) => [name, []]));
  }

  /** Text of one of them: it is written once all before it are done. */
  say(name: string, text: string): void {
    this.kept.get(name)?.push(text);
    this.flush(false);
  }

  /** No more comes of one of them. */
  finish(name: string): void {
    this.done.add(name);
    this.flush(false);
  }

  /** No more comes of any. */
  end(): void {
    this.flush(true);
  }

  private flush(isEnd: boolean): void {
    for (const [name, texts] of this.kept) {
      for (const text of texts.splice(0)) this.write(text);
      if (!isEnd && !this.done.has(name)) return;
    }
  }
}
