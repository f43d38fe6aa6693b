/** Seconds to wait before the n-th try: at once, then soon, then every two seconds for as long as it takes. */
export const delay = (attempt: number): number => [0, 0.2, 0.5, 1][attempt] ?? 2;

const drafts = 'domainssl-drafts';

/**
 * Brings a page back that lost its connection. The circuit is taken up again where the server still knows it; where it does not (it was restarted), the page is loaded anew at the
 * same address. What stands in fields marked data-draft="name" is kept over that and put back.
 */
export class Reconnection {
  private attempt = 0;
  private lost = false;

  constructor(private readonly reconnect: () => Promise<boolean>) {
    document.addEventListener('visibilitychange', () => { if (this.lost && !document.hidden) { this.attempt = 0; } });
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
      await new Promise(done => setTimeout(done, delay(this.attempt++) * 1000));
      if (!this.lost) return;
      try {
        if (await this.reconnect()) { this.up(); return; }
        // The server is there, but has forgotten this page. An upload goes on without a circuit; it must not be cut off.
        while (document.body.dataset.busy) await new Promise(done => setTimeout(done, 300));
        this.keepDrafts();
        location.reload();
        return;
      } catch {
        // Not there yet. Asking for something small first would only double the tries.
      }
    }
  }

  private keepDrafts(): void {
    const kept: Record<string, string> = {};
    for (const field of document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('[data-draft]'))
      if (field.value) kept[field.dataset.draft!] = field.value;
    sessionStorage.setItem(drafts, JSON.stringify({ path: location.pathname, kept }));
  }

  /** Puts kept text back once the page reacts again; the field's own events tell the component. */
  restoreDrafts(): void {
    const stored = sessionStorage.getItem(drafts);
    if (!stored) return;
    sessionStorage.removeItem(drafts);
    const { path, kept } = JSON.parse(stored) as { path: string; kept: Record<string, string> };
    if (path !== location.pathname) return;
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
