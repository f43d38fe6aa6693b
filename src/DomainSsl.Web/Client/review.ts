import { isTyping, type DotNet, type Widget } from './widget';
import { outboxOf } from './outbox';
import { Room } from './room';
import type { Kind } from './screen';

interface Options { task: number; kind: Kind; person: string; token: string; first: number | null; referred: boolean }
interface Case {
  predictionId: number; itemId: number; classId: number; uncertainty: number;
  classes: { id: number; name: string; probability: number }[];
  similar: { itemId: number; classId: number; class: string }[];
  referredBy: string | null;
}
interface Progress { open: number; referred: number; accepted: number; corrected: number }
interface Decision { prediction: number; decision: 'accept' | 'correct' | 'refer' | 'withdrawn'; classId: number | null }

/**
 * The review page: a room (room.ts) whose cases are predictions, with the model's probabilities and similar labelled cases beside it. Buttons carry data-decide; the keys click
 * them.
 */
export function mount(element: HTMLElement, options: Options, _: DotNet): Widget {
  const decided: Case[] = [];
  let left = 0;

  const room: Room<Case, Progress> = new Room<Case, Progress>(element, options.token, {
    api: `/api/review/${options.task}`,
    query: `&referred=${options.referred}`,
    outbox: outboxOf(`domainssl-review/${options.person}/${options.task}`, options.token),
    name: 'case',
    button: 'decide',
    kind: options.kind,
    words: { one: 'case', said: 'decisions', otherwise: 'refer it' },
    id: of => of.predictionId,
    item: of => of.itemId,
    title: of => `${options.kind === 'sound' ? 'Recording' : 'Image'} ${of.itemId} under review`,
    cases: answer => (answer as { cases: Case[] }).cases,
    about: body => (body as Decision).prediction,
    fill,
    count: progress => countLeft(options.referred ? progress.referred : progress.open),
  });

  const colour = (classId: number) => element.querySelector<HTMLElement>(`[data-class="${classId}"]`)?.style.getPropertyValue('--colour') || 'currentColor';

  function countLeft(next: number): void {
    left = Math.max(0, next);
    room.say('left', left === 0 ? 'Nothing left' : `${left.toLocaleString('en')} left`);
  }

  function fill(of: Case): void {
    const best = of.classes.find(c => c.id === of.classId)!;
    room.say('answer', `${best.name}, ${percent(best.probability)}`);
    room.say('accept-class', best.name);
    room.say('referred-by', of.referredBy ? `Referred by ${of.referredBy}.` : '');
    for (const c of of.classes) {
      const row = element.querySelector<HTMLElement>(`[data-probability="${c.id}"]`);
      if (!row) continue;
      row.style.setProperty('--part', String(c.probability));
      row.classList.toggle('best', c.id === of.classId);
      row.querySelector('.figure')!.textContent = percent(c.probability);
    }
    room.part('similar').replaceChildren(...of.similar.slice(0, 6).map(s => {
      const entry = document.createElement('li');
      const words = document.createElement('span');
      words.className = 'chip';
      words.style.setProperty('--chip', colour(s.classId));
      words.textContent = s.class;
      entry.append(options.kind === 'sound' ? listener(s) : image(s), words);
      return entry;
    }));
    room.part('no-similar').hidden = of.similar.length > 0;
  }

  function image(of: Case['similar'][number]): HTMLElement {
    const image = document.createElement('img');
    image.src = `/api/items/${of.itemId}/image?size=256`;
    image.alt = `A labelled case like this one: ${of.class}`;
    image.width = image.height = 128;
    return image;
  }

  function listener(of: Case['similar'][number]): HTMLElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'room-answer plain room-listen';
    button.dataset.listen = String(of.itemId);
    button.setAttribute('aria-label', `Play a labelled case like this one: ${of.class}`);
    button.textContent = '▶';
    return button;
  }

  const decide = (decision: Decision['decision'], classId: number | null) => {
    const of = room.answerable(decision === 'refer');
    if (!of) return;
    room.send<Decision>('decisions', { prediction: of.predictionId, decision, classId });
    decided.push(of);
    countLeft(left - 1);
    void room.advance();
  };

  const undo = () => {
    const last = decided.pop();
    if (!last) { void room.undoEarlier(answer => (answer as { prediction: number }).prediction); return; }
    room.send<Decision>('decisions', { prediction: last.predictionId, decision: 'withdrawn', classId: null });
    room.back(last);
  };

  element.addEventListener('click', event => {
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>('[data-decide],[data-view],[data-listen]') : null;
    if (!button || button.disabled) return;
    room.say('note', '');
    // A click must not leave the focus on a button that the next Enter would press again.
    if (event.detail > 0) element.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
    switch (button.dataset.decide) {
      case 'accept': decide('accept', null); break;
      case 'correct': decide('correct', Number(button.dataset.class)); break;
      case 'refer': decide('refer', null); break;
      case 'undo': undo(); break;
    }
  }, { signal: room.signal });
  document.addEventListener('keydown', event => {
    // A stands for Enter: whoever's hand lies on the letters need not reach.
    const free = !event.ctrlKey && !event.altKey && !event.metaKey && !event.repeat && !isTyping(event.target) && !document.querySelector('dialog[open]');
    if (event.key.toLowerCase() === 'a' && free) decide('accept', null);
  }, { signal: room.signal });

  room.open(options.first);
  return { update: () => { /* its options do not change */ }, dispose: () => room.dispose() };
}

/** Whole percent; never "100 %" or "0 %" for what is not certain. */
export function percent(probability: number): string {
  const rounded = Math.round(probability * 100);
  if (rounded >= 100 && probability < 1) return 'over 99 %';
  if (rounded <= 0 && probability > 0) return 'under 1 %';
  return `${rounded} %`;
}
