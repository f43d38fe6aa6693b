/** What a long list needs to know of its entries. Keys name entries; an entry that changes gets another key. */
export interface Entries {
  count(): number;
  key(index: number): string;
  /** Pixels, until the entry was on the screen once. */
  guess(index: number): number;
  make(index: number): HTMLElement;
}

/**
 * A list of any length of which only what is in sight is in the document. Heights are measured as entries come into sight; what is above stays where it is when they turn out other than guessed. The entry that has
 * the focus stays in the document, wherever one scrolls.
 */
export class Rows {
  private readonly heights = new Map<string, number>();
  private readonly shown = new Map<string, HTMLElement>();
  private tops: number[] = [0];
  private frame = 0;

  constructor(private readonly scroller: HTMLElement, private readonly inner: HTMLElement, private readonly entries: Entries, signal: AbortSignal) {
    scroller.addEventListener('scroll', () => this.soon(), { signal, passive: true });
    let width = scroller.clientWidth;
    const observer = new ResizeObserver(() => {
      if (scroller.clientWidth !== width) this.heights.clear();
      width = scroller.clientWidth;
      this.soon();
    });
    observer.observe(scroller);
    signal.addEventListener('abort', () => { observer.disconnect(); cancelAnimationFrame(this.frame); });
  }

  /** Draws anew: entries came, went or changed. */
  refresh(): void {
    this.layout();
    const keys = new Set(Array.from({ length: this.entries.count() }, (_, i) => this.entries.key(i)));
    for (const [key, element] of this.shown) if (!keys.has(key)) { element.remove(); this.shown.delete(key); }
    this.draw();
  }

  /** The entry's element, where it is in sight. */
  element(index: number): HTMLElement | undefined { return this.shown.get(this.entries.key(index)); }

  /** Measures an entry whose height has changed by itself, e.g. as somebody types in it. */
  remeasure(index: number): void {
    this.heights.delete(this.entries.key(index));
    this.draw();
  }

  /** Brings an entry into sight, a quarter of the height below the upper edge, unless it is there. */
  reveal(index: number): void {
    const top = this.tops[index]!, bottom = this.tops[index + 1]!, { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop || bottom > scrollTop + clientHeight) this.scroller.scrollTop = Math.max(0, top - clientHeight / 4);
    this.draw();
  }

  private soon(): void { this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.draw(); }); }

  private layout(): void {
    const count = this.entries.count();
    this.tops = new Array<number>(count + 1);
    this.tops[0] = 0;
    for (let i = 0; i < count; i++) this.tops[i + 1] = this.tops[i]! + (this.heights.get(this.entries.key(i)) ?? this.entries.guess(i));
    this.inner.style.height = `${this.tops[count]}px`;
  }

  private draw(): void {
    // Measuring may move what is in sight: once or twice is enough.
    for (let round = 0; round < 3; round++) if (!this.pass()) return;
  }

  private pass(): boolean {
    const count = this.entries.count(), { scrollTop, clientHeight } = this.scroller, margin = 400;
    const from = this.indexAt(scrollTop - margin), to = Math.min(count - 1, this.indexAt(scrollTop + clientHeight + margin));
    const wanted = new Set<string>(), fresh: [number, HTMLElement][] = [];
    for (let i = from; i <= to; i++) {
      const key = this.entries.key(i);
      wanted.add(key);
      let element = this.shown.get(key);
      if (!element) {
        element = this.entries.make(i);
        element.style.position = 'absolute';
        element.style.left = element.style.right = '0';
        this.shown.set(key, element);
      }
      if (!this.heights.has(key)) fresh.push([i, element]);
    }
    for (const [key, element] of this.shown) if (!wanted.has(key) && !element.contains(document.activeElement)) { element.remove(); this.shown.delete(key); }
    // In the document's order, so that Tab and screen readers go from top to bottom.
    let before: HTMLElement | null = null;
    for (let i = from; i <= to; i++) {
      const element = this.shown.get(this.entries.key(i))!;
      element.style.top = `${this.tops[i]}px`;
      if (!element.isConnected) { if (before) before.after(element); else this.inner.prepend(element); }
      before = element;
    }
    if (fresh.length === 0) return false;
    let above = 0;
    for (const [i, element] of fresh) {
      const height = element.offsetHeight;
      if (this.tops[i]! < scrollTop) above += height - (this.tops[i + 1]! - this.tops[i]!);
      this.heights.set(this.entries.key(i), height);
    }
    this.layout();
    if (above !== 0) this.scroller.scrollTop = scrollTop + above;
    return true;
  }

  private indexAt(y: number): number {
    let low = 0, high = this.tops.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle]! <= y) low = middle; else high = middle - 1;
    }
    return Math.max(0, low);
  }
}
