import type { Entry } from './outbox';

/** The page whose outbox sends what waits in a place (outboxOf). */
const senders = new Map<string, (id: string) => string>([
  ['domainssl-label', task => `/tasks/${task}/label`], ['domainssl-review', task => `/review/${task}`], ['domainssl-transcript', recording => `/transcripts/${recording}`],
]);

/** Milliseconds from which an answer is late: one that another window is just sending is nobody's worry. */
const late = 10_000;

/** Milliseconds between two looks: an answer becomes late, or is sent by this window, without an event. */
const lookEvery = 2000;

/** The browser's side of things, so that tests can stand in for it. */
export interface World { storage: Pick<Storage, 'getItem' | 'key' | 'length'>; now: () => number; path: () => string }

/** How many answers of a person wait that the present page does not send, and the pages that do, the one with the oldest first. */
export function unsent(person: string, { storage, now, path }: World): { answers: number; pages: string[] } {
  const found: { at: number; page: string }[] = [];
  for (let i = 0; i < storage.length; i++) {
    const name = storage.key(i) ?? '', [kind = '', whose, id = '', key] = name.split('/');
    const page = senders.get(kind)?.(id);
    if (!page || whose !== person || !key || page === path()) continue;
    try {
      const { at } = JSON.parse(storage.getItem(name) ?? '') as Entry;
      if (now() - at >= late) found.push({ at, page });
    } catch { /* its page throws it away */ }
  }
  found.sort((a, b) => a.at - b.at);
  return { answers: found.length, pages: [...new Set(found.map(f => f.page))] };
}

/** Keeps a line up to date that says what waits in this browser and leads to where it is sent. Its person is in data-person. */
export function watchUnsent(element: HTMLElement, world: World): void {
  let told = '';
  const look = () => {
    const { answers, pages } = unsent(element.dataset.person ?? '', world);
    const said = `${answers} ${pages.join(' ')}`;
    // A line that is written anew is read out anew.
    if (said === told) return;
    told = said;
    const page = pages[0];
    if (page === undefined) { element.replaceChildren(); return; }
    const link = document.createElement('a');
    link.href = page;
    link.textContent = pages.length > 1 ? 'Send the oldest now' : answers > 1 ? 'Send them now' : 'Send it now';
    element.replaceChildren(answers > 1 ? `${answers} answers of yours have not reached the server yet. ` : '1 answer of yours has not reached the server yet. ', link);
  };
  window.addEventListener('storage', look);
  setInterval(look, lookEvery);
  look();
}
