import { newKey } from './outbox';
import type { Segment } from './transcript-model';

/** What is being written in a passage: kept at every letter until it is on its way to the server. */
export interface Draft { passage: Omit<Segment, 'words'>; text: string }
interface Kept extends Draft { until: number }

/** The browser's side of things, so that tests can stand in for it. */
export interface World { storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>; now: () => number; hidden: () => boolean }

/** Milliseconds between two signs of life. */
export const signEvery = 3000;

/** Milliseconds after its last sign of life from which a window is taken for gone. The clocks of one that is out of sight may stand for a minute. */
const patience = (hidden: boolean): number => hidden ? 90_000 : 10_000;

/**
 * Drafts of one place, one for each window that writes there. A window takes up its own at once; that of another only when it gives no sign of life any more, for a sentence that somebody is still writing next door is no
 * lost one.
 */
export class Drafts {
  private mine: Draft | null = null;

  constructor(private readonly place: string, private readonly window: string, private readonly world: World) { }

  keep(draft: Draft): void { this.mine = draft; this.live(); }

  forget(): void { this.mine = null; this.world.storage.removeItem(`${this.place}/${this.window}`); }

  /** A sign of life, for as long as something is being written. */
  live(): void { if (this.mine) this.write(this.mine, this.world.now() + patience(this.world.hidden())); }

  /** The window closes: whoever opens the place next goes on. */
  leave(): void { if (this.mine) this.write(this.mine, 0); }

  /** What was left lying; it is not kept any longer. */
  takeUp(): Draft[] {
    const names = Array.from({ length: this.world.storage.length }, (_, i) => this.world.storage.key(i)).filter(name => name?.startsWith(`${this.place}/`)) as string[];
    return names.flatMap(name => {
      if (name === `${this.place}/${this.window}` && this.mine) return [];
      try {
        const { passage, text, until } = JSON.parse(this.world.storage.getItem(name) ?? '') as Kept;
        if (name !== `${this.place}/${this.window}` && until > this.world.now()) return [];
        this.world.storage.removeItem(name);
        return [{ passage, text }];
      } catch {
        this.world.storage.removeItem(name);
        return [];
      }
    });
  }

  private write(draft: Draft, until: number): void {
    try { this.world.storage.setItem(`${this.place}/${this.window}`, JSON.stringify({ ...draft, until })); } catch { /* storage full or forbidden: it is still in the field */ }
  }
}

const kept = 'domainssl-window';
let id = '';

/** A name of this window that outlives a reload. A window that is doubled hands on what it has stored, so the name lies there only between two pages. */
export function thisWindow(): string {
  if (id) return id;
  id = sessionStorage.getItem(kept) ?? newKey();
  sessionStorage.removeItem(kept);
  addEventListener('pagehide', () => sessionStorage.setItem(kept, id));
  addEventListener('pageshow', () => sessionStorage.removeItem(kept));
  return id;
}
