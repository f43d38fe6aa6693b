import type { DotNet, Widget } from './widget';

/** Where the form goes, and the token that proves that it comes from our page. */
interface Options { address: string; token: string }

/**
 * The form that asks for a language model. What was pasted may be whole years of reports, so it goes over HTTP and never through the circuit; where it is refused or the server is away, it stays in
 * its field.
 */
export function mount(form: HTMLFormElement, options: Options, dotnet: DotNet): Widget {
  const listeners = new AbortController();
  let busy = false;

  async function send(): Promise<void> {
    if (busy) return;
    busy = true;
    await dotnet.invokeMethodAsync('OnSendingAsync');
    const body = new FormData(form), pasted = String(body.get('text') ?? '');
    body.delete('text');
    if (pasted.trim()) body.append('files', new Blob([pasted], { type: 'text/plain' }), 'pasted.txt');
    let problem = 'The server does not answer. What you entered is still here; try again in a moment.';
    try {
      const response = await fetch(options.address, { method: 'POST', body, headers: { RequestVerificationToken: options.token }, signal: listeners.signal });
      const answer = await response.json().catch(() => ({})) as { page?: string; detail?: string; title?: string };
      if (response.ok && answer.page) { location.assign(answer.page); return; }
      problem = answer.detail ?? answer.title ?? `The server refused (${response.status}). What you entered is still here; load the page in another tab and try again there.`;
    } catch {
      if (listeners.signal.aborted) return;
    }
    busy = false;
    await dotnet.invokeMethodAsync('OnRefusedAsync', problem).catch(() => undefined);
  }

  form.addEventListener('submit', event => { event.preventDefault(); void send(); }, { signal: listeners.signal });
  form.dataset.ready = 'true';
  return { update: () => undefined, dispose: () => listeners.abort() };
}
