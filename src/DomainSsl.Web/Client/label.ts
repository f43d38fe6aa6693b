import type { DotNet, Widget } from './widget';
import { outboxOf } from './outbox';
import { Room } from './room';
import type { Kind } from './screen';

interface Options { task: number; kind: Kind; person: string; token: string; first: number | null }
interface Case { item: number; skipped: boolean }
interface Progress { items: number; labelled: number; notSure: number; skipped: number; left: number; nextUseful: number; lastUseful: number; classes: { id: number; labels: number }[] }
interface Answer { item: number; answer: 'class' | 'notSure' | 'skipped' | 'withdrawn'; classId: number | null }

/** The labelling page: a room (room.ts) whose cases are images or recordings and whose answers are classes. Buttons carry data-answer; the keys click them (keys.ts). */
export function mount(element: HTMLElement, options: Options, _: DotNet): Widget {
  const answered: Answer[] = [];
  let progress: Progress | null = null;
  const one = options.kind === 'sound' ? 'recording' : 'image';

  const room: Room<Case, Progress> = new Room<Case, Progress>(element, options.token, {
    api: `/api/tasks/${options.task}`,
    outbox: outboxOf(`domainssl-label/${options.person}/${options.task}`, options.token),
    name: 'item',
    button: 'answer',
    kind: options.kind,
    words: { one, said: 'answers', otherwise: 'skip it' },
    id: of => of.item,
    item: of => of.item,
    title: of => `${one === 'image' ? 'Image' : 'Recording'} ${of.item} to be labelled`,
    cases: answer => (answer as { items: Case[] }).items,
    about: body => (body as Answer).item,
    fill: of => room.say('again', of.skipped ? 'You skipped this one before.' : ''),
    count,
  });

  function count(next: Progress): void {
    progress = next;
    const bar = room.part('bar');
    bar.style.setProperty('--part', String(Math.min(1, next.labelled / Math.max(1, next.nextUseful))));
    bar.setAttribute('aria-valuenow', String(next.labelled));
    bar.setAttribute('aria-valuemax', String(next.nextUseful));
    room.say('count', next.labelled >= next.items ? `All ${next.items} ${one}s are labelled.` : `${next.labelled} of ${next.nextUseful} labels`);
    for (const c of next.classes) { const at = element.querySelector(`[data-labels="${c.id}"]`); if (at) at.textContent = String(c.labels); }
    room.part('reached').hidden = next.lastUseful === 0 || next.labelled - next.lastUseful > 4;
    room.say('reached-count', String(next.lastUseful));
  }

  // Until the server's own figures are back, the page counts for itself: a clinician looks at the number right after the key.
  const guess = (answer: Answer, sign: 1 | -1) => {
    if (!progress) return;
    const by = answer.answer === 'class' ? sign : 0;
    const classes = progress.classes.map(c => c.id === answer.classId ? { ...c, labels: c.labels + by } : c);
    count({ ...progress, labelled: progress.labelled + by, classes });
  };

  const give = (answer: Answer['answer'], classId: number | null) => {
    const of = room.answerable(answer === 'skipped');
    if (!of) return;
    const sent = room.send<Answer>('answers', { item: of.item, answer, classId });
    answered.push(sent);
    guess(sent, 1);
    void room.advance();
  };

  const undo = () => {
    const last = answered.pop();
    // Nothing of this page's: the last answer of an earlier visit.
    if (!last) { void room.undoEarlier(answer => (answer as { item: number }).item); return; }
    room.send<Answer>('answers', { item: last.item, answer: 'withdrawn', classId: null });
    guess(last, -1);
    room.back({ item: last.item, skipped: false });
  };

  element.addEventListener('click', event => {
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>('[data-answer]') : null;
    if (!button || button.disabled) return;
    room.say('note', '');
    // A click must not leave the focus on a button that the next space would press again.
    if (event.detail > 0) element.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
    switch (button.dataset.answer) {
      case 'class': give('class', Number(button.dataset.class)); break;
      case 'notSure': give('notSure', null); break;
      case 'skipped': give('skipped', null); break;
      case 'undo': undo(); break;
    }
    // A short flash says which answer was taken, since the case changes at once.
    button.classList.remove('taken');
    void button.offsetWidth;
    button.classList.add('taken');
  }, { signal: room.signal });

  room.open(options.first);
  return { update: () => { /* its options do not change */ }, dispose: () => room.dispose() };
}
