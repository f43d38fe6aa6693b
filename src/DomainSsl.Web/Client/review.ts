import { isTyping, type DotNet, type Widget } from './widget';
import { newKey, outboxOf, type Standing } from './outbox';
import { Pictures, Stage } from './picture';

interface Options { task: number; person: string; token: string; first: number | null; referred: boolean }
interface Case {
  predictionId: number; itemId: number; classId: number; uncertainty: number;
  classes: { id: number; name: string; probability: number }[];
  similar: { itemId: number; classId: number; class: string }[];
  referredBy: string | null;
}
interface Progress { open: number; referred: number; accepted: number; corrected: number }
interface Decision { key: string; prediction: number; decision: 'accept' | 'correct' | 'refer' | 'withdrawn'; classId: number | null }

const ahead = 4;

/**
 * The review page: the case on the stage, the model's probabilities, similar labelled cases. As on the labelling page a decision shows the next case at once and goes to the server
 * through the outbox. Buttons carry data-decide; the keys click them.
 */
export function mount(element: HTMLElement, options: Options, _: DotNet): Widget {
  const listeners = new AbortController();
  const { signal } = listeners;
  const api = `/api/review/${options.task}`;
  const outbox = outboxOf(`domainssl-review/${options.person}/${options.task}`, options.token);
  const part = (name: string) => element.querySelector<HTMLElement>(`[data-part="${name}"]`)!;
  const stage = new Stage(part('stage'));
  const pictures = new Pictures(item => `/api/items/${item}/pixels`);
  const decided: { body: Decision; of: Case }[] = [];
  let current: Case | null = null;
  let shown: Case | null = null;
  let queue: Case[] = [];
  let fetching: Promise<void> | null = null;
  let ended = false;
  let left = 0;

  const say = (name: string, text: string) => { const at = part(name); if (at.textContent !== text) at.textContent = text; };
  const cover = (kind: 'none' | 'loading' | 'finished' | 'failed', sentence = '') => {
    element.dataset.cover = kind;
    say('sentence', sentence);
  };
  const standing = (state: Standing, waiting: number) => {
    part('save').className = `save-state ${state}`;
    say('save', { nothing: '', saving: 'saving…', saved: 'saved', notsaved: `not saved, trying again${waiting > 1 ? ` (${waiting} decisions)` : ''}`, signedout: 'not saved: you are signed out' }[state]);
    part('sign-in').hidden = state !== 'signedout';
  };
  const colour = (classId: number) => element.querySelector<HTMLElement>(`[data-class="${classId}"]`)?.style.getPropertyValue('--colour') || 'currentColor';

  const countLeft = (progress: Progress) => {
    left = options.referred ? progress.referred : progress.open;
    say('left', left === 0 ? 'Nothing left' : `${left.toLocaleString('en')} left`);
  };

  const fill = (of: Case) => {
    const best = of.classes.find(c => c.id === of.classId)!;
    say('answer', `${best.name}, ${percent(best.probability)}`);
    part('accept-class').textContent = best.name;
    say('referred-by', of.referredBy ? `Referred by ${of.referredBy}.` : '');
    for (const c of of.classes) {
      const row = element.querySelector<HTMLElement>(`[data-probability="${c.id}"]`);
      if (!row) continue;
      row.style.setProperty('--part', String(c.probability));
      row.classList.toggle('best', c.id === of.classId);
      row.querySelector('.figure')!.textContent = percent(c.probability);
    }
    const list = part('similar');
    list.replaceChildren(...of.similar.slice(0, 6).map(s => {
      const entry = document.createElement('li');
      const image = document.createElement('img');
      image.src = `/api/items/${s.itemId}/image?size=256`;
      image.alt = `A labelled case like this one: ${s.class}`;
      image.width = image.height = 128;
      const words = document.createElement('span');
      words.className = 'chip';
      words.style.setProperty('--chip', colour(s.classId));
      words.textContent = s.class;
      entry.append(image, words);
      return entry;
    }));
    part('no-similar').hidden = of.similar.length > 0;
  };

  const show = async (of: Case | null) => {
    current = of;
    shown = null;
    for (const button of element.querySelectorAll<HTMLButtonElement>('[data-decide]')) button.disabled = of === null && button.dataset.decide !== 'undo';
    if (!of) { stage.show(null, 'No image'); return; }
    const address = new URL(location.href);
    address.searchParams.set('case', String(of.predictionId));
    history.replaceState(history.state, '', address);
    const late = setTimeout(() => { if (current === of) cover('loading', 'Loading the image…'); }, 120);
    try {
      const picture = await pictures.get(of.itemId);
      if (current !== of) return;
      clearTimeout(late);
      cover('none');
      fill(of);
      stage.show(picture, `Image ${of.itemId} under review`);
      shown = of;
      element.dataset.case = String(of.predictionId);
    } catch {
      clearTimeout(late);
      if (current !== of) return;
      stage.show(null, 'No image');
      cover('failed', 'This image could not be loaded. It is tried again by itself; or refer it.');
      setTimeout(() => { if (current === of && !signal.aborted) void show(of); }, 2000);
    }
  };

  const inHand = () => [...queue.map(c => c.predictionId), ...(current ? [current.predictionId] : []), ...outbox.waiting.map(e => (e.body as Decision).prediction).filter(Boolean)];

  const refill = (first: number | null = null): Promise<void> => fetching ??= (async () => {
    while (!signal.aborted) {
      try {
        const response = await fetch(`${api}/next?count=${ahead + 1}&referred=${options.referred}&hand=${inHand().join(',')}${first === null ? '' : `&first=${first}`}`, { signal });
        if (response.status === 401 || response.status === 403) { standing('signedout', 0); return; }
        if (!response.ok) throw new Error(String(response.status));
        const next = await response.json() as { cases: Case[]; progress: Progress };
        ended = next.cases.length === 0;
        const known = new Set(inHand());
        queue.push(...next.cases.filter(c => !known.has(c.predictionId)));
        if (outbox.waiting.length === 0) countLeft(next.progress);
        for (const c of queue.slice(0, ahead)) pictures.get(c.itemId).catch(() => { /* tried again when it is shown */ });
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
      cover('loading', 'Loading the next case…');
      await refill();
      if (current !== null || signal.aborted) return;
    }
    const next = queue.shift();
    if (next) void show(next);
    else if (ended) { await show(null); cover('finished'); }
    if (queue.length < ahead && !ended) void refill();
    for (const c of queue.slice(0, ahead)) pictures.get(c.itemId).catch(() => { /* tried again when it is shown */ });
  };

  const decide = (decision: Decision['decision'], classId: number | null) => {
    const of = current;
    if (!of || (shown !== of && !(decision === 'refer' && element.dataset.cover === 'failed'))) return;
    const body: Decision = { key: newKey(), prediction: of.predictionId, decision, classId };
    outbox.add(`${api}/decisions`, body.key, body);
    decided.push({ body, of });
    left = Math.max(0, left - 1);
    say('left', left === 0 ? 'Nothing left' : `${left.toLocaleString('en')} left`);
    void advance();
  };

  const undo = async () => {
    const last = decided.pop();
    if (last) {
      if (current) queue.unshift(current);
      const body: Decision = { key: newKey(), prediction: last.body.prediction, decision: 'withdrawn', classId: null };
      outbox.add(`${api}/decisions`, body.key, body);
      ended = false;
      void show(last.of);
      return;
    }
    try {
      const response = await fetch(`${api}/undo`, {
        method: 'POST', headers: { 'Content-Type': 'application/json', RequestVerificationToken: options.token }, body: JSON.stringify({ key: newKey() }), signal,
      });
      const answer = await response.json() as { prediction: number; detail?: string };
      if (!response.ok) { say('note', answer.detail ?? 'There is nothing to take back.'); return; }
      const before = current;
      queue = before ? [before, ...queue] : queue;
      current = null;
      ended = false;
      await fetching;
      await refill(answer.prediction);
      const at = queue.findIndex(c => c.predictionId === answer.prediction);
      if (at >= 0) void show(queue.splice(at, 1)[0]!);
      else void advance();
    } catch {
      if (!signal.aborted) say('note', 'The server does not answer; nothing was taken back.');
    }
  };

  element.addEventListener('click', event => {
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>('[data-decide],[data-view]') : null;
    if (!button || button.disabled) return;
    say('note', '');
    // A click must not leave the focus on a button that the next Enter would press again.
    if (event.detail > 0) element.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
    switch (button.dataset.decide ?? button.dataset.view) {
      case 'accept': decide('accept', null); break;
      case 'correct': decide('correct', Number(button.dataset.class)); break;
      case 'refer': decide('refer', null); break;
      case 'undo': void undo(); break;
      case 'brighter': stage.adjust(1, 0); break;
      case 'darker': stage.adjust(-1, 0); break;
      case 'more': stage.adjust(0, 1); break;
      case 'less': stage.adjust(0, -1); break;
      case 'in': stage.zoom(1.25); break;
      case 'out': stage.zoom(0.8); break;
      case 'reset': stage.reset(); break;
    }
  }, { signal });
  document.addEventListener('keydown', event => {
    // A stands for Enter: whoever's hand lies on the letters need not reach.
    const free = !event.ctrlKey && !event.altKey && !event.metaKey && !event.repeat && !isTyping(event.target) && !document.querySelector('dialog[open]');
    if (event.key.toLowerCase() === 'a' && free) decide('accept', null);
  }, { signal });
  document.addEventListener('keydown', event => {
    if (event.repeat && !event.key.startsWith('Arrow') && !['+', '-'].includes(event.key)) event.stopImmediatePropagation();
  }, { signal, capture: true });
  window.addEventListener('online', () => outbox.retry(), { signal });

  outbox.listen({
    standing,
    stored: (_entry, answer) => { if (answer && outbox.waiting.length === 0) countLeft((answer as { progress: Progress }).progress); },
    refused: (_entry, sentence) => say('note', sentence),
  });
  cover('loading', 'Loading the cases…');
  void refill(options.first).then(() => { if (!signal.aborted) void advance(); });

  return {
    update: () => { /* its options do not change */ },
    dispose: () => { listeners.abort(); stage.dispose(); outbox.listen(null); },
  };
}

/** Whole percent; never "100 %" or "0 %" for what is not certain. */
export function percent(probability: number): string {
  const rounded = Math.round(probability * 100);
  if (rounded >= 100 && probability < 1) return 'over 99 %';
  if (rounded <= 0 && probability > 0) return 'under 1 %';
  return `${rounded} %`;
}
