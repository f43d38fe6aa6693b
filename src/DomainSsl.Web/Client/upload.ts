import { pageIsThere } from './reconnect';
import type { DotNet, Widget } from './widget';

/** Where pieces go, the form token that proves they come from our page, and the size of a piece. */
interface Options { address: string; token: string; pieceBytes: number; atOnce: number; collection: string; page: string }
interface Found { name: string; file: Blob }

/**
 * A drop zone: takes files, folders (with all in them) and zips, and sends them over HTTP in pieces, several files at once. A piece that fails is sent again, for minutes if need be; the server knows
 * how much of each file it has, so nothing is sent twice. All of it goes over HTTP: a server that is restarted meanwhile costs the seconds it was away. The component is told how far it is
 * a few times a second, for as long as it listens.
 */
export function mount(element: HTMLElement, options: Options, dotnet: DotNet): Widget {
  const listeners = new AbortController();
  const { signal } = listeners;
  let busy = false;

  for (const name of ['dragenter', 'dragover']) element.addEventListener(name, event => { event.preventDefault(); element.classList.add('over'); }, { signal });
  for (const name of ['dragleave', 'drop']) element.addEventListener(name, () => element.classList.remove('over'), { signal });
  // A file dropped beside the zone must not replace the page.
  for (const name of ['dragover', 'drop'] as const) window.addEventListener(name, event => event.preventDefault(), { signal });

  element.addEventListener('drop', event => {
    event.preventDefault();
    const items = [...(event.dataTransfer?.items ?? [])].filter(i => i.kind === 'file');
    // Entries must be taken before the event ends; reading them may come later.
    const entries = items.map(i => i.webkitGetAsEntry()).filter(e => e !== null);
    const plain = entries.length > 0 ? [] : [...(event.dataTransfer?.files ?? [])];
    void gather(entries).then(found => send([...found, ...plain.map(file => ({ name: file.name, file }))]));
  }, { signal });
  for (const input of element.querySelectorAll<HTMLInputElement>('input[type=file]')) {
    const take = () => {
      const files = [...(input.files ?? [])];
      input.value = '';
      void send(files.map(file => ({ name: file.webkitRelativePath || file.name, file })));
    };
    input.addEventListener('change', take, { signal });
    take(); // what was chosen while this was still being loaded
  }
  for (const button of element.querySelectorAll<HTMLButtonElement>('button[data-picks]'))
    button.addEventListener('click', () => element.querySelector<HTMLInputElement>('#' + button.dataset.picks)?.click(), { signal });

  const leaving = (event: BeforeUnloadEvent) => { if (busy) event.preventDefault(); };
  window.addEventListener('beforeunload', leaving, { signal });

  // A file's name travels in a header: addresses are written into logs, and it may be a patient's.
  async function call(method: string, path: string, body?: BodyInit, name?: string): Promise<Response> {
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await fetch(options.address + path, {
          method, signal, headers: { RequestVerificationToken: options.token, ...(typeof body === 'string' ? { 'Content-Type': 'application/json' } : {}), ...(name === undefined ? {} : { 'File-Name': encodeURIComponent(name) }) }, ...(body === undefined ? {} : { body }),
        });
        if (response.ok) return response;
        // 5xx and 408 may pass; the rest will not.
        if (response.status < 500 && response.status !== 408) throw new Refused(await sentence(response));
      } catch (error) {
        if (error instanceof Refused || signal.aborted) throw error;
      }
      if (attempt > 150) throw new Refused('The server does not answer. Look whether it runs, then drop the files again; those that came are not sent twice.');
      await new Promise(done => setTimeout(done, Math.min(2000, 200 * 2 ** attempt)));
    }
  }

  async function send(given: Found[]): Promise<void> {
    if (busy || given.length === 0) return;
    busy = true;
    // A page whose circuit is gone is loaded anew only when this is through (reconnect.ts).
    document.body.dataset.busy = 'true';
    const found: Found[] = [];
    for (const one of given) found.push(await composed(one)); // one list at a time: they are read whole
    const bytes = found.reduce((sum, f) => sum + f.file.size, 0);
    let sentFiles = 0, sentBytes = 0, told = 0;
    const tell = (now = false) => {
      if (!now && performance.now() - told < 250) return;
      told = performance.now();
      void dotnet.invokeMethodAsync('OnSentAsync', found.length, sentFiles, bytes, sentBytes).catch(() => undefined);
    };
    try {
      const { id } = await (await call('POST', '')).json() as { id: string };
      tell(true);
      const queue = found.map((f, index) => ({ ...f, index }));
      const worker = async () => {
        for (let next = queue.shift(); next; next = queue.shift()) {
          for (let from = 0; from === 0 || from < next.file.size; from += options.pieceBytes) {
            const piece = next.file.slice(from, from + options.pieceBytes);
            await call('PUT', `/${id}/files/${next.index}?from=${from}`, piece, next.name);
            sentBytes += piece.size;
            tell();
          }
          sentFiles++;
          tell();
        }
      };
      await Promise.all(Array.from({ length: options.atOnce }, worker));
      tell(true);
      await call('POST', `/${id}/start`, JSON.stringify({ collection: options.collection }));
      // First the address: whatever loads this page anew from here on leads to what became of the upload.
      history.replaceState(history.state, '', `${options.page}?upload=${id}`);
      for (; ;) {
        try { await pageIsThere(); break; } catch { await new Promise(done => setTimeout(done, 500)); }
      }
      busy = false;
      if (!signal.aborted) location.reload();
    } catch (error) {
      if (!signal.aborted) await dotnet.invokeMethodAsync('OnRefusedAsync', error instanceof Error ? error.message : String(error)).catch(() => undefined);
    } finally {
      busy = false;
      delete document.body.dataset.busy;
    }
  }

  return { update: next => { options = next as Options; }, dispose: () => listeners.abort() };
}

class Refused extends Error {}

async function sentence(response: Response): Promise<string> {
  try {
    const problem = await response.json() as { detail?: string; title?: string };
    return problem.detail ?? problem.title ?? `The server refused (${response.status}).`;
  } catch {
    return `The server refused (${response.status}). Load the page again.`;
  }
}

/** Bytes of a list that is read before it is sent. */
const mostRead = 64 << 20;

/**
 * The same with whole letters (NFC): macOS takes them apart in the names of its files, so that those of a list made elsewhere would not be found. A list made there has them apart too, so
 * lists are put together as well; what is no text is sent as it is.
 */
async function composed({ name, file }: Found): Promise<Found> {
  const whole = { name: name.normalize('NFC'), file };
  if (!/\.(csv|tsv|txt)$/i.test(name) || file.size > mostRead) return whole;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await file.arrayBuffer()), same = text.normalize('NFC');
    return same === text ? whole : { ...whole, file: new Blob([same]) };
  } catch {
    return whole;
  }
}

/** All files below what was dropped, with their path within it. */
async function gather(entries: FileSystemEntry[]): Promise<Found[]> {
  const found: Found[] = [];
  const walk = async (entry: FileSystemEntry): Promise<void> => {
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      found.push({ name: entry.fullPath.replace(/^\//, ''), file });
    } else {
      const reader = (entry as FileSystemDirectoryEntry).createReader();
      // A reader gives a hundred at a time, and nothing once it is through.
      for (;;) {
        const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
        if (some.length === 0) break;
        for (const child of some) await walk(child);
      }
    }
  };
  for (const entry of entries) await walk(entry);
  return found;
}
