import { newKey, type Outbox, type Standing } from './outbox';
import { screenOf, type Kind, type Screen } from './screen';

/** Cases fetched ahead: five answers in two seconds still find the next one there. */
const ahead = 5;

/** What differs between labelling and review: what a case is, what is said of it, and how it is shown. `T` is a case, `P` the figures that come with an answer. */
export interface Work<T, P> {
  /** Where cases come from and answers go, and what else to ask for there. */
  api: string;
  query?: string;
  outbox: Outbox;
  /** Names the case in the address and on the element: `?item=7`, `data-item="7"`. */
  name: string;
  /** The buttons that answer: `data-answer`, which the keys click (keys.ts). */
  button: string;
  /** Whether its cases are images or sounds. */
  kind: Kind;
  /** As people call it: "image", "case"; what a person gives; and what to do where a case cannot be loaded. */
  words: { one: string; said: string; otherwise: string };
  id(of: T): number;
  /** The item that is seen or heard. */
  item(of: T): number;
  title(of: T): string;
  /** The cases of the server's answer. */
  cases(answer: unknown): T[];
  /** The case that an answer still on its way is about. */
  about(body: unknown): number;
  /** Called as the case is shown. */
  fill(of: T): void;
  count(progress: P): void;
}

/**
 * A room where one image or sound after another is judged by keyboard. All that must feel instant happens here: an answer shows the next case from those already fetched and drawn, and goes to the server
 * after, through an outbox that does not let go of it before it is acknowledged. A server that is away is asked again for as long as it takes; the address always names the case on the
 * screen, so a page that is loaded anew goes on there.
 */
export class Room<T, P> {
  private readonly listeners = new AbortController();
  readonly signal = this.listeners.signal;
  private readonly screen: Screen;
  private queue: T[] = [];
  private current: T | null = null;
  /** What is really on the screen: an answer is never taken for a case that was not seen. */
  private shown: T | null = null;
  private fetching: Promise<void> | null = null;
  private ended = false;
  private undoKey: string | null = null;
  private pressed = 0;

  constructor(private readonly element: HTMLElement, private readonly token: string, private readonly work: Work<T, P>) {
    this.screen = screenOf(work.kind, element, () => {
      if (this.pressed === 0) return;
      // One frame later the case is on the screen: this is what the person feels.
      const from = this.pressed;
      this.pressed = 0;
      requestAnimationFrame(() => performance.measure(`next-${work.words.one}`, { start: from, end: performance.now() }));
    }, this.signal);
    // A key held down must not answer for cases that nobody had time to see.
    document.addEventListener('keydown', event => {
      if (event.repeat && !event.key.startsWith('Arrow') && !['+', '-'].includes(event.key)) event.stopImmediatePropagation();
    }, { signal: this.signal, capture: true });
    window.addEventListener('online', () => work.outbox.retry(), { signal: this.signal });
    work.outbox.listen({
      standing: (state, waiting) => this.standing(state, waiting),
      stored: (_, answer) => { if (answer && work.outbox.waiting.length === 0) work.count((answer as { progress: P }).progress); },
      refused: (_, sentence) => this.say('note', sentence),
    });
  }

  /** Fetches the first cases, the one that the address named before all others, and shows it. */
  open(first: number | null): void {
    this.cover('loading', `Loading the ${this.work.words.one}s…`);
    void this.refill(first).then(() => { if (!this.signal.aborted) void this.advance(); });
  }

  dispose(): void {
    this.listeners.abort();
    this.screen.dispose();
    this.work.outbox.listen(null);
  }

  part(name: string): HTMLElement { return this.element.querySelector<HTMLElement>(`[data-part="${name}"]`)!; }

  say(name: string, text: string): void {
    const at = this.part(name);
    if (at.textContent !== text) at.textContent = text;
  }

  /** The case that may be answered: the one on the screen, or, where it cannot be loaded and `unseen` says so, the one that should be. */
  answerable(unseen: boolean): T | null {
    return this.shown === this.current || (unseen && this.element.dataset.cover === 'failed') ? this.current : null;
  }

  /** Sends what was said, with a key of its own, and gives it back with that key. The time until the next case is on the screen is measured from here. */
  send<B extends object>(path: string, body: B): B & { key: string } {
    this.pressed = performance.now();
    const keyed = { ...body, key: newKey() };
    this.work.outbox.add(`${this.work.api}/${path}`, keyed.key, keyed);
    return keyed;
  }

  /** Shows the next case. */
  async advance(): Promise<void> {
    this.current = null;
    if (this.queue.length === 0) {
      this.cover('loading', `Loading the next ${this.work.words.one}…`);
      await this.refill();
      if (this.current !== null || this.signal.aborted) return;
    }
    const next = this.queue.shift();
    if (next) void this.show(next);
    else if (this.ended) { await this.show(null); this.cover('finished'); }
    if (this.queue.length < ahead && !this.ended) void this.refill();
    this.fetchAhead();
  }

  /** Shows a case again, the present one after it. */
  back(of: T): void {
    if (this.current !== null) this.queue.unshift(this.current);
    this.ended = false;
    void this.show(of);
  }

  /** Takes back what was said in an earlier visit, which the server alone remembers. */
  async undoEarlier(taken: (answer: unknown) => number): Promise<void> {
    // What is on its way first, and one key until the server has answered: pressed again after a lost answer it takes back the same one, not another.
    if (this.work.outbox.waiting.length > 0) { this.say('note', 'Wait until everything is saved.'); return; }
    const key = this.undoKey ??= newKey();
    try {
      const response = await fetch(`${this.work.api}/undo`, {
        method: 'POST', headers: { 'Content-Type': 'application/json', RequestVerificationToken: this.token }, body: JSON.stringify({ key }), signal: this.signal,
      });
      const answer = await response.json() as { detail?: string };
      if (response.status < 500) this.undoKey = null;
      if (!response.ok) { this.say('note', answer.detail ?? 'There is nothing to take back.'); return; }
      const id = taken(answer);
      if (this.current !== null) this.queue.unshift(this.current);
      this.current = null;
      this.ended = false;
      await this.fetching;
      await this.refill(id);
      const at = this.queue.findIndex(of => this.work.id(of) === id);
      if (at >= 0) void this.show(this.queue.splice(at, 1)[0]!);
      else void this.advance();
    } catch {
      if (!this.signal.aborted) this.say('note', 'The server does not answer; nothing was taken back.');
    }
  }

  private get what(): string { return this.work.kind === 'sound' ? 'recording' : 'image'; }

  private cover(kind: 'none' | 'loading' | 'finished' | 'failed', sentence = ''): void {
    this.element.dataset.cover = kind;
    this.say('sentence', sentence);
  }

  private standing(state: Standing, waiting: number): void {
    this.part('save').className = `save-state ${state}`;
    const many = waiting > 1 ? ` (${waiting} ${this.work.words.said})` : '';
    this.say('save', { nothing: '', saving: 'saving…', saved: 'saved', notsaved: `not saved, trying again${many}`, signedout: 'not saved: you are signed out' }[state]);
    this.part('sign-in').hidden = state !== 'signedout';
  }

  private async show(of: T | null): Promise<void> {
    const { work } = this;
    this.current = of;
    this.shown = null;
    for (const button of this.element.querySelectorAll<HTMLButtonElement>(`[data-${work.button}]`)) button.disabled = of === null && button.dataset[work.button] !== 'undo';
    if (of === null) { this.screen.show(null, `No ${this.what}`); return; }
    const address = new URL(location.href);
    address.searchParams.set(work.name, String(work.id(of)));
    history.replaceState(history.state, '', address);
    const fetched = this.screen.fetch(work.item(of));
    // Drawn at once where it is there; the cover comes only where one really waits.
    const late = setTimeout(() => { if (this.current === of) this.cover('loading', `Loading the ${this.what}…`); }, 120);
    try {
      const loaded = await fetched;
      if (this.current !== of) return;
      clearTimeout(late);
      this.cover('none');
      work.fill(of);
      this.screen.show(loaded, work.title(of));
      this.shown = of;
      this.element.dataset[work.name] = String(work.id(of));
    } catch {
      clearTimeout(late);
      if (this.current !== of) return;
      this.screen.show(null, `No ${this.what}`);
      this.cover('failed', `This ${this.what} could not be loaded. It is tried again by itself; or ${work.words.otherwise}.`);
      setTimeout(() => { if (this.current === of && !this.signal.aborted) void this.show(of); }, 2000);
    }
  }

  /** Cases that must not be handed out again: those in hand, and those whose answers are on their way. */
  private inHand(): number[] {
    const { work } = this;
    return [...this.queue, ...(this.current === null ? [] : [this.current])].map(of => work.id(of)).concat(work.outbox.waiting.map(e => work.about(e.body)).filter(Boolean));
  }

  private refill(first: number | null = null): Promise<void> {
    return this.fetching ??= this.ask(first).finally(() => { this.fetching = null; });
  }

  private async ask(first: number | null): Promise<void> {
    const { work, signal } = this;
    while (!signal.aborted) {
      try {
        const response = await fetch(`${work.api}/next?count=${ahead + 1}&hand=${this.inHand().join(',')}${first === null ? '' : `&first=${first}`}${work.query ?? ''}`, { signal });
        if (response.status === 401 || response.status === 403) { this.standing('signedout', 0); return; }
        if (!response.ok) throw new Error(String(response.status));
        const answer = await response.json() as { progress: P };
        const cases = work.cases(answer);
        this.ended = cases.length === 0;
        const known = new Set(this.inHand());
        this.queue.push(...cases.filter(of => !known.has(work.id(of))));
        if (work.outbox.waiting.length === 0) work.count(answer.progress);
        this.fetchAhead();
        return;
      } catch {
        if (signal.aborted) return;
        if (this.current === null) this.cover('failed', 'The server does not answer. Trying again…');
        await new Promise(done => setTimeout(done, 1000));
      }
    }
  }

  private fetchAhead(): void {
    for (const of of this.queue.slice(0, ahead)) this.screen.fetch(this.work.item(of)).catch(() => { /* tried again when it is shown */ });
  }
}
