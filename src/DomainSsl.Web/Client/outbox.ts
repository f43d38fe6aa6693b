/** Something a person said, on its way to the server. `key` is unique: sent twice, it is stored once. */
export interface Entry { key: string; at: number; url: string; body: unknown }

/** What the page shows of it. `signedOut` and `refused` need the person. */
export type Standing = 'nothing' | 'saving' | 'saved' | 'notsaved' | 'signedout';

/** The browser's side of things, so that tests can stand in for it. */
export interface World {
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  wait: (milliseconds: number) => Promise<void>;
  now: () => number;
}

/** Letters of a body up to which a browser goes on sending it when the window closes; a longer one it would refuse to send at all (64 KiB for all that is on its way). */
const mostKept = 15_000;

interface Listener {
  standing(standing: Standing, waiting: number): void;
  stored(entry: Entry, answer: unknown): void;
  refused(entry: Entry, sentence: string): void;
}

/** Milliseconds before the n-th try: soon, then every two seconds for as long as it takes. */
export const pause = (attempt: number): number => [0, 300, 700, 1200][attempt] ?? 2000;

/**
 * Keeps what a person said in the browser's own storage until the server has acknowledged it, and sends it in order, one at a time, again and again. It survives a dropped
 * connection, a killed server, a reloaded page and a closed window. Entries of one person are never sent in another's name: the name is part of where they are kept.
 */
export class Outbox {
  private readonly entries: Entry[] = [];
  private listener: Listener | null = null;
  private sending = false;
  private standing: Standing = 'nothing';

  constructor(private readonly place: string, public token: string, private readonly world: World) {
    for (let i = 0; i < world.storage.length; i++) {
      const name = world.storage.key(i);
      if (!name?.startsWith(`${place}/`)) continue;
      try { this.entries.push(JSON.parse(world.storage.getItem(name) ?? '') as Entry); } catch { world.storage.removeItem(name); }
    }
    this.entries.sort((a, b) => a.at - b.at);
  }

  /** What is not acknowledged yet, oldest first. */
  get waiting(): readonly Entry[] { return this.entries; }

  listen(listener: Listener | null): void {
    this.listener = listener;
    listener?.standing(this.standing, this.entries.length);
    void this.send();
  }

  add(url: string, key: string, body: unknown): void {
    // Two answers within one millisecond still keep their order.
    const at = Math.max(this.world.now(), (this.entries.at(-1)?.at ?? 0) + 0.001);
    const entry = { key, at, url, body };
    this.entries.push(entry);
    try { this.world.storage.setItem(`${this.place}/${key}`, JSON.stringify(entry)); } catch { /* storage full or forbidden: it is still sent from memory */ }
    void this.send();
  }

  /** Tries at once instead of after the pause, e.g. because the network is back. */
  retry(): void { if (!this.sending) void this.send(); }

  private tell(standing: Standing): void {
    this.standing = standing;
    this.listener?.standing(standing, this.entries.length);
  }

  private async send(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    try {
      for (let attempt = 0; this.entries.length > 0;) {
        const entry = this.entries[0]!, body = JSON.stringify(entry.body);
        this.tell(attempt === 0 ? 'saving' : this.standing);
        let response: Response | null = null;
        try {
          response = await this.world.fetch(entry.url, {
            method: 'POST', headers: { 'Content-Type': 'application/json', RequestVerificationToken: this.token }, body,
            keepalive: body.length < mostKept, signal: AbortSignal.timeout(10_000),
          });
        } catch { /* no connection, or none in time */ }
        if (response?.ok) {
          const answer: unknown = await response.json().catch(() => null);
          this.drop(entry);
          this.listener?.stored(entry, answer);
          attempt = 0;
          continue;
        }
        if (response && (response.status === 401 || response.status === 403)) { this.tell('signedout'); return; }
        if (response && [400, 404, 409, 422].includes(response.status)) {
          const problem = await response.json().catch(() => null) as { detail?: string; title?: string } | null;
          // Somebody else has signed in in this browser: what waits is still its author's, and is kept for them.
          if (problem?.title === 'page-too-old') { this.tell('signedout'); return; }
          this.drop(entry);
          this.listener?.refused(entry, problem?.detail ?? problem?.title ?? 'The server refused this answer; load the page again.');
          attempt = 0;
          continue;
        }
        this.tell('notsaved');
        await this.world.wait(pause(++attempt));
      }
      if (this.standing !== 'nothing') this.tell('saved');
    } finally {
      this.sending = false;
    }
  }

  private drop(entry: Entry): void {
    this.entries.splice(this.entries.indexOf(entry), 1);
    this.world.storage.removeItem(`${this.place}/${entry.key}`);
  }
}

const open = new Map<string, Outbox>();

/** The outbox of a place; the same one for as long as the window lives, so that leaving the page does not stop the sending. */
export function outboxOf(place: string, token: string): Outbox {
  let outbox = open.get(place);
  if (!outbox) {
    outbox = new Outbox(place, token, {
      storage: localStorage, fetch: (url, init) => fetch(url, init), wait: ms => new Promise(done => setTimeout(done, ms)), now: () => performance.timeOrigin + performance.now(),
    });
    open.set(place, outbox);
  }
  outbox.token = token;
  return outbox;
}

/** A key for one answer. crypto.randomUUID exists on secure pages alone, and a clinic's site may answer over plain HTTP in its own network. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, b => b.toString(16).padStart(2, '0')).join('');
}
