/** Things of items that are fetched before they are needed, a few kept after. */
export class Ahead<T> {
  private readonly kept = new Map<number, Promise<T>>();

  constructor(private readonly load: (item: number) => Promise<T>, private readonly most = 14) { }

  get(item: number): Promise<T> {
    let thing = this.kept.get(item);
    if (thing) this.kept.delete(item); // put at the end again: the one used last goes last
    thing ??= this.begin(item);
    this.kept.set(item, thing);
    for (const old of this.kept.keys()) {
      if (this.kept.size <= this.most) break;
      this.kept.delete(old);
    }
    return thing;
  }

  private begin(item: number): Promise<T> {
    const thing = this.load(item);
    // A failure is not kept: the next look tries again.
    thing.catch(() => { if (this.kept.get(item) === thing) this.kept.delete(item); });
    return thing;
  }
}
