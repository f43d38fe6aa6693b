/** Milliseconds before the n-th look for the server: at once, then often for as long as a restart may take, then every two seconds for as long as it takes. */
export const delay = (attempt: number): number => attempt === 0 ? 0 : attempt <= 60 ? 500 : 2000;

const drafts = 'domainssl-drafts', waited = 'domainssl-waited';
const sleep = (milliseconds: number) => new Promise<void>(done => setTimeout(done, milliseconds));

/** Which start of the site this page is from (App.razor). */
const ours = (): string | undefined => document.body.dataset.start;

/** Which start of the site answers now; null where none does. */
async function theirs(): Promise<string | null> {
  try {
    const response = await fetch('/health', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    return response.ok ? response.headers.get('Site-Start') : null;
  } catch {
    return null;
  }
}

/**
 * Fetches the page at the present address once, before it is loaded anew. A site that has just started takes a while for its first pages, in which the old one stays in sight; and one that is
 * killed meanwhile would leave the browser's own error page, from which nothing comes back by itself.
 * @throws where the site does not answer with a page.
 */
export async function pageIsThere(): Promise<void> {
  const response = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(30_000) });
  if (response.status >= 500) throw new Error(String(response.status));
  await response.arrayBuffer();
}

/**
 * Brings a page back that lost its connection. The circuit is taken up again where the server still knows it; where it does not (it was restarted), the page is loaded anew at the
 * same address. What stands in fields marked data-draft="name" is kept over that and put back.
 */
export class Reconnection {
  private attempt = 0;
  private lost = false;
  /** Kept text whose fields are not there yet. */
  private unplaced: Record<string, string> = {};

  constructor(private readonly reconnect: () => Promise<boolean>) {
    document.addEventListener('visibilitychange', () => { if (this.lost && !document.hidden) { this.attempt = 0; } });
  }

  /**
   * Until a page has its circuit, nobody tells it that its server is gone, or that its first connection failed: it looks itself. A page that waits in vain for its circuit is loaded anew, and the
   * next one given twice as long, since the machine may only be busy. Pages without a circuit (account pages) carry no start.
   */
  async watch(): Promise<void> {
    const waits = () => ours() && !document.body.dataset.ready && !this.lost;
    const patience = Number(sessionStorage.getItem(waited) ?? 15_000), begun = Date.now();
    while (waits()) {
      await sleep(1000);
      const start = waits() && await theirs();
      if (!waits()) break;
      if (start !== ours()) this.down();
      else if (Date.now() - begun > patience) {
        sessionStorage.setItem(waited, String(2 * patience));
        this.down();
      }
    }
    if (document.body.dataset.ready) sessionStorage.removeItem(waited);
  }

  down(): void {
    if (this.lost) return;
    this.lost = true;
    this.attempt = 0;
    document.body.classList.add('connection-lost');
    document.getElementById('connection')!.textContent = 'The connection to the server is lost. Trying again…';
    void this.run();
  }

  up(): void {
    this.lost = false;
    document.body.classList.remove('connection-lost');
    document.getElementById('connection')!.textContent = '';
  }

  private async run(): Promise<void> {
    while (this.lost) {
      await sleep(delay(this.attempt++));
      if (!this.lost) return;
      const start = await theirs();
      if (start === null) continue;
      try {
        // Another start knows nothing of this page, and a page that never had a circuit cannot take it up again.
        if (start === ours() && document.body.dataset.ready && await this.reconnect()) { this.up(); return; }
        await pageIsThere();
        // An upload goes on without a circuit, and so does writing in a transcript; neither must be cut off. The site may be gone again after that.
        if (document.body.dataset.busy) {
          while (document.body.dataset.busy) await sleep(100);
          this.attempt = 0;
          continue;
        }
        this.keepDrafts();
        location.reload();
        return;
      } catch {
        // Gone again.
      }
    }
  }

  private keepDrafts(): void {
    const kept = { ...this.takeDrafts(), ...this.unplaced };
    for (const field of document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('[data-draft]'))
      if (field.value) kept[field.dataset.draft!] = field.value;
    sessionStorage.setItem(drafts, JSON.stringify({ path: location.pathname, kept }));
  }

  // What an earlier page at this address left.
  private takeDrafts(): Record<string, string> {
    const stored = sessionStorage.getItem(drafts);
    if (!stored) return {};
    sessionStorage.removeItem(drafts);
    const { path, kept } = JSON.parse(stored) as { path: string; kept: Record<string, string> };
    return path === location.pathname ? kept : {};
  }

  /** Puts kept text back once the page reacts again; the field's own events tell the component. */
  restoreDrafts(): void {
    const kept = this.unplaced = this.takeDrafts();
    const until = Date.now() + 20_000;
    const put = () => {
      if (document.body.dataset.ready) {
        for (const field of document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('[data-draft]')) {
          const text = kept[field.dataset.draft!];
          if (text === undefined) continue;
          delete kept[field.dataset.draft!];
          if (field.value) continue;
          field.value = text;
          field.dispatchEvent(new Event('input', { bubbles: true }));
          field.dispatchEvent(new Event('change', { bubbles: true }));
        }
      }
      if (Object.keys(kept).length > 0 && Date.now() < until) setTimeout(put, 100);
    };
    put();
  }
}
