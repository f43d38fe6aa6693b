import type { DotNet, Widget } from './widget';
import { newKey, outboxOf, type Entry, type Standing } from './outbox';
import { Pictures, Stage } from './picture';

interface Options { task: number; person: string; token: string; first: number | null }
interface Next { items: { item: number; skipped: boolean }[]; progress: Progress }
interface Progress { items: number; labelled: number; notSure: number; skipped: number; left: number; nextUseful: number; lastUseful: number; classes: { id: number; labels: number }[] }
interface Answer { key: string; item: number; answer: 'class' | 'notSure' | 'skipped' | 'withdrawn'; classId: number | null }
interface Stored { item: number; progress: Progress }

/** Images fetched ahead: five answers in two seconds still find the next one there. */
const ahead = 5;

/**
 * The labelling page. All that must feel instant happens here: a key takes the next image from those already drawn, and the answer goes to the server after, through an outbox
 * that does not let go of it before it is acknowledged. Buttons carry data-answer; the keys click them (keys.ts).
 */
export function mount(element: HTMLElement, options: Options, _: DotNet): Widget {
  const listeners = new AbortController();
  const { signal } = listeners;
  const api = `/api/tasks/${options.task}`;
  const outbox = outboxOf(`domainssl-label/${options.person}/${options.task}`, options.token);
  const part = (name: string) => element.querySelector<HTMLElement>(`[data-part="${name}"]`)!;
  const stage = new Stage(part('stage'), () => {
    if (pressed === 0) return;
    // One frame later the image is on the screen: this is what the clinician feels.
    const from = pressed;
    pressed = 0;
    requestAnimationFrame(() => performance.measure('next-image', { start: from, end: performance.now() }));
  });
  const pictures = new Pictures(item => `/api/items/${item}/pixels`);

  let pressed = 0;
  let current: number | null = null;
  let queue: { item: number; skipped: boolean }[] = [];
  let fetching: Promise<void> | null = null;
  let ended = false;
  let progress: Progress | null = null;
  const answered: Answer[] = [];
  /** The image that is really on the screen: an answer is never taken for one that was not seen. */
  let shown: number | null = null;

  const say = (name: string, text: string) => { const at = part(name); if (at.textContent !== text) at.textContent = text; };
  const cover = (kind: 'none' | 'loading' | 'finished' | 'failed', sentence = '') => {
    element.dataset.cover = kind;
    say('sentence', sentence);
  };

  const standing = (state: Standing, waiting: number) => {
    const at = part('save');
    at.className = `save-state ${state}`;
    at.textContent = { nothing: '', saving: 'saving…', saved: 'saved', notsaved: `not saved, trying again${waiting > 1 ? ` (${waiting} answers)` : ''}`, signedout: 'not saved: you are signed out' }[state];
    part('sign-in').hidden = state !== 'signedout';
  };

  const show = async (item: number | null, skipped = false) => {
    current = item;
    shown = null;
    for (const button of element.querySelectorAll<HTMLButtonElement>('[data-answer]')) button.disabled = item === null && button.dataset.answer !== 'undo';
    if (item === null) { stage.show(null, 'No image'); return; }
    const address = new URL(location.href);
    address.searchParams.set('item', String(item));
    history.replaceState(history.state, '', address);
    say('again', skipped ? 'You skipped this one before.' : '');
    const picture = pictures.get(item);
    // Drawn at once where it is there; the cover comes only where one really waits.
    const late = setTimeout(() => { if (current === item) cover('loading', 'Loading the image…'); }, 120);
    try {
      const loaded = await picture;
      if (current !== item) return;
      clearTimeout(late);
      cover('none');
      stage.show(loaded, `Image ${item} to be labelled`);
      shown = item;
      element.dataset.item = String(item);
    } catch {
      clearTimeout(late);
      if (current !== item) return;
      stage.show(null, 'No image');
      cover('failed', 'This image could not be loaded. It is tried again by itself; or skip it.');
      setTimeout(() => { if (current === item && !signal.aborted) void show(item, skipped); }, 2000);
    }
  };

  const count = (next: Progress) => {
    progress = next;
    const bar = part('bar');
    bar.style.setProperty('--part', String(Math.min(1, next.labelled / Math.max(1, next.nextUseful))));
    bar.setAttribute('aria-valuenow', String(next.labelled));
    bar.setAttribute('aria-valuemax', String(next.nextUseful));
    say('count', next.labelled >= next.items ? `All ${next.items} images are labelled.` : `${next.labelled} of ${next.nextUseful} labels`);
    for (const c of next.classes) { const at = element.querySelector(`[data-labels="${c.id}"]`); if (at) at.textContent = String(c.labels); }
    part('reached').hidden = next.lastUseful === 0 || next.labelled - next.lastUseful > 4;
    say('reached-count', String(next.lastUseful));
  };

  // Until the server's own figures are back, the page counts for itself: a clinician looks at the number right after the key.
  const guess = (answer: Answer, sign: 1 | -1) => {
    if (!progress) return;
    const by = answer.answer === 'class' ? sign : 0;
    const classes = progress.classes.map(c => c.id === answer.classId ? { ...c, labels: c.labels + by } : c);
    count({ ...progress, labelled: progress.labelled + by, classes });
  };

  /** Items that must not be handed out again: those in hand, and those whose answers are on their way. */
  const inHand = () => [...queue.map(q => q.item), ...(current === null ? [] : [current]), ...outbox.waiting.map(e => (e.body as Answer).item).filter(Boolean)];

  const refill = (first: number | null = null): Promise<void> => fetching ??= (async () => {
    while (!signal.aborted) {
      try {
        const response = await fetch(`${api}/next?count=${ahead + 1}&hand=${inHand().join(',')}${first === null ? '' : `&first=${first}`}`, { signal });
        if (response.status === 401 || response.status === 403) { standing('signedout', 0); return; }
        if (!response.ok) throw new Error(String(response.status));
        const next = await response.json() as Next;
        ended = next.items.length === 0;
        const known = new Set(inHand());
        queue.push(...next.items.filter(i => !known.has(i.item)));
        if (outbox.waiting.length === 0) count(next.progress);
        for (const q of queue.slice(0, ahead)) pictures.get(q.item).catch(() => { /* tried again when it is shown */ });
        return;
      } catch {
        if (signal.aborted) return;
        if (current === null) cover('failed', 'The server does not answer. Trying again…');
        await new Promise(done => setTimeout(done, 1000));
      }
    }
  })().finally(() => { fetching = null; });

  const advance = async () => {
    current = null;
    if (queue.length === 0) {
      cover('loading', 'Loading the next image…');
      await refill();
      if (current !== null || signal.aborted) return;
    }
    const next = queue.shift();
    if (next) void show(next.item, next.skipped);
    else if (ended) { await show(null); cover('finished'); }
    if (queue.length < ahead && !ended) void refill();
    for (const q of queue.slice(0, ahead)) pictures.get(q.item).catch(() => { /* tried again when it is shown */ });
  };

  const say1 = (answer: Answer['answer'], classId: number | null) => {
    if (current === null || (shown !== current && !(answer === 'skipped' && element.dataset.cover === 'failed'))) return;
    pressed = performance.now();
    const body: Answer = { key: newKey(), item: current, answer, classId };
    outbox.add(`${api}/answers`, body.key, body);
    answered.push(body);
    guess(body, 1);
    void advance();
  };

  const undo = async () => {
    const last = answered.pop();
    if (last) {
      if (current !== null) queue.unshift({ item: current, skipped: false });
      const body: Answer = { key: newKey(), item: last.item, answer: 'withdrawn', classId: null };
      outbox.add(`${api}/answers`, body.key, body);
      guess(last, -1);
      ended = false;
      void show(last.item);
      return;
    }
    // Nothing of this page's: the last answer of an earlier visit.
    try {
      const response = await fetch(`${api}/undo`, {
        method: 'POST', headers: { 'Content-Type': 'application/json', RequestVerificationToken: options.token }, body: JSON.stringify({ key: newKey() }), signal,
      });
      const answer = await response.json() as Stored & { detail?: string };
      if (!response.ok) { say('note', answer.detail ?? 'There is nothing to take back.'); return; }
      if (current !== null) queue.unshift({ item: current, skipped: false });
      ended = false;
      count(answer.progress);
      void show(answer.item);
    } catch {
      if (!signal.aborted) say('note', 'The server does not answer; nothing was taken back.');
    }
  };

  element.addEventListener('click', event => {
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>('[data-answer],[data-view]') : null;
    if (!button || button.disabled) return;
    say('note', '');
    switch (button.dataset.answer ?? button.dataset.view) {
      case 'class': say1('class', Number(button.dataset.class)); break;
      case 'notSure': say1('notSure', null); break;
      case 'skipped': say1('skipped', null); break;
      case 'undo': void undo(); break;
      case 'brighter': stage.adjust(1, 0); break;
      case 'darker': stage.adjust(-1, 0); break;
      case 'more': stage.adjust(0, 1); break;
      case 'less': stage.adjust(0, -1); break;
      case 'in': stage.zoom(1.25); break;
      case 'out': stage.zoom(0.8); break;
      case 'reset': stage.reset(); break;
    }
    if (button.dataset.answer) {
      // A short flash says which answer was taken, since the image changes at once.
      button.classList.remove('taken');
      void button.offsetWidth;
      button.classList.add('taken');
    }
  }, { signal });
  // A key held down must not answer for images that nobody had time to see.
  document.addEventListener('keydown', event => {
    if (event.repeat && !event.key.startsWith('Arrow') && !['+', '-'].includes(event.key)) event.stopImmediatePropagation();
  }, { signal, capture: true });
  window.addEventListener('online', () => outbox.retry(), { signal });

  outbox.listen({
    standing,
    stored: (_entry: Entry, answer: unknown) => { if (answer && outbox.waiting.length === 0) count((answer as Stored).progress); },
    refused: (_entry, sentence) => say('note', sentence),
  });
  cover('loading', 'Loading the images…');
  void refill(options.first).then(() => { if (!signal.aborted) void advance(); });

  return {
    update: () => { /* its options do not change */ },
    dispose: () => { listeners.abort(); stage.dispose(); outbox.listen(null); },
  };
}
