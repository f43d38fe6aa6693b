import { Drafts, signEvery, thisWindow } from './draft';
import { newKey, outboxOf, type Entry, type Outbox, type Standing } from './outbox';
import { Player, stamp, type Sources } from './player';
import { Rows } from './rows';
import {
  caughtUp, confirmed, count, doubt, doubtful, hits, inPlace, inserted, merged, moved, nextDoubt, nextHit, overlong, replaceAll, replaceOne, rewritten, segmentAt, split, spokenAt, Steps, textOf, tokens,
  unlike, type Change, type Limits, type Made, type Place, type Segment, type Sought, type Word,
} from './transcript-model';
import { isComposing, isTyping, type Widget } from './widget';

interface Options { recording: number; person: string; owner: string | null; token: string; at: number | null; limits: Limits; words: string; sources: Sources }
interface Stored { version: number; state: State; segments: Segment[] }
interface Receipt { version: number; state: State; again: boolean; conflict: boolean }
interface SetAside { at: string; by: string; text: string }
interface Version { number: number; at: string; by: string; deed: string; of: number | null; state: State; changed: number }
type State = 'Draft' | 'Reviewing' | 'Accepted';
interface Edit { key: string; changes: Change[] }

/** An edit of ours that was not stored, until the person says what becomes of it. */
interface Late { key: string; why: string; changes: Change[] }

const states: Record<State, string> = { Draft: 'draft, not looked at yet', Reviewing: 'being reviewed', Accepted: 'accepted' };

/** What the control key and a letter do while nobody types. */
const withControl: Record<string, string> = { f: 'find', z: 'undo', y: 'redo' };

/** How far a pedal's press goes back when it starts the sound again, seconds: one hears the word that one stopped in. */
const rewind = 0.7;

/** Seconds before a word that is to be checked, and after it, that are heard with it. */
const lead = 0.4, tail = 0.6;

/** Seconds beyond a loop after which it is over: somebody has taken the sound elsewhere. */
const leaves = 1;

/** Seconds of a passage that is put in, where nothing else follows so soon. */
const newPassage = 5;

/** Where this browser keeps how somebody listens. */
const speedAt = 'domainssl-transcript-speed', followAt = 'domainssl-transcript-follow';

/** Milliseconds for which the list stays where a person has scrolled, and what they chose stays chosen, although the sound goes on. */
const stays = 5000;

/** Milliseconds between two looks for what somebody else has changed. */
const lookEvery = 10_000;

/**
 * The transcript page. All of the work happens here: an edit is on the screen at once and goes to the server after, through an outbox that does not let go of it before it is acknowledged. Only passages in sight
 * are in the document. What is being typed is kept in the browser at every letter.
 */
class Room {
  private readonly listeners = new AbortController();
  private readonly signal = this.listeners.signal;
  private readonly api: string;
  private readonly outbox: Outbox;
  private readonly rows: Rows;
  private readonly drafts: Drafts;
  private readonly lateAt: string;
  private player: Player | null = null;
  private segments: readonly Segment[] = [];
  private state: State = 'Draft';
  /** Whether nobody but whose recording it is has been named in it. */
  private alone = true;
  private version = 0;
  private readonly steps = new Steps(newKey);
  /** Whether more is stored than is shown: what nobody has seen is not accepted. */
  private stale = false;
  private asking = false;
  private asked = 0;
  /** Speakers as the server has them. It keeps no names: one that is new may be stored as another. */
  private named: ReadonlySet<string | null> = new Set();
  private chosen: Place | null = null;
  private editing: { uid: string; passage: Omit<Segment, 'words'>; area: HTMLTextAreaElement } | null = null;
  private spoken: HTMLElement | null = null;
  private followed = -1;
  private scrolled = -Infinity;
  private loop: [number, number] | null = null;
  /** Where the sound stops by itself, seconds: one word was to be heard, and not what follows. */
  private until = Infinity;
  /** Whether what is chosen goes along with the sound: from when somebody begins to listen, until they choose something. */
  private listening = false;
  private touched = -Infinity;
  /** The version that was accepted here, as long as that can be taken back by a key. */
  private accepted: number | null = null;
  /** Who else has this transcript open. */
  private others: readonly string[] = [];
  private late: Late[] = [];
  private renaming: { from: string; to: string | null } | null = null;

  constructor(private readonly element: HTMLElement, private readonly options: Options) {
    this.api = `/api/recordings/${options.recording}/transcript`;
    const world = { storage: localStorage, now: () => Date.now(), hidden: () => document.hidden };
    this.drafts = new Drafts(`domainssl-transcript-draft/${options.person}/${options.recording}`, thisWindow(), world);
    this.lateAt = `domainssl-transcript-late/${options.person}/${options.recording}/`;
    this.outbox = outboxOf(`domainssl-transcript/${options.person}/${options.recording}`, options.token);
    this.rows = new Rows(this.part('list'), this.part('rows'), {
      count: () => this.segments.length, key: i => this.segments[i]!.uid, make: i => this.drawn(i),
      guess: i => 52 + 26 * Math.ceil(this.segments[i]!.words.length / 14),
    }, this.signal);
    this.listen();
  }

  async open(): Promise<void> {
    const begun = performance.now();
    void Player.open(this.part('sound'), this.options.sources, this.signal).then(player => {
      this.player = player;
      player.wave.on('timeupdate', seconds => this.moved(seconds));
      player.wave.on('interaction', seconds => this.goneTo(seconds));
      this.remember();
      if (this.options.at !== null) player.wave.setTime(this.options.at);
      requestAnimationFrame(() => performance.measure('sound-open', { start: begun, end: performance.now() }));
    }).catch(() => { if (!this.signal.aborted) this.say('note', 'The sound could not be loaded; the text can be edited all the same. Load the page again to hear it.'); });
    const stored = await this.ask();
    if (!stored) return;
    this.take(stored);
    // Edits of an earlier visit that are still on their way.
    for (const entry of this.outbox.waiting) this.segments = caughtUp(this.segments, (entry.body as Partial<Edit>).changes ?? []);
    this.show();
    this.late = Object.keys(localStorage).filter(name => name.startsWith(this.lateAt)).map(name => JSON.parse(localStorage.getItem(name)!) as Late);
    this.showLate();
    this.takeUpDrafts();
    this.outbox.listen({
      standing: (state, waiting) => this.standing(state, waiting),
      stored: (entry, answer) => this.stored(entry, answer as Receipt),
      refused: (entry, sentence) => {
        const { key, changes = [] } = entry.body as Partial<Edit>;
        if (this.written(changes)) this.setAside({ key: key!, why: `${sentence} What you wrote is kept here:`, changes });
        else this.say('note', sentence);
        void this.reload();
      },
    });
    requestAnimationFrame(() => performance.measure('transcript-open', { start: begun, end: performance.now() }));
    if (this.options.at !== null) this.choose({ segment: Math.max(0, segmentAt(this.segments, this.options.at)), word: 0 });
    void this.look();
    const looking = setInterval(() => { void this.look(); if (!this.editing) this.takeUpDrafts(); }, lookEvery), living = setInterval(() => this.drafts.live(), signEvery);
    this.signal.addEventListener('abort', () => { clearInterval(looking); clearInterval(living); });
  }

  dispose(): void {
    // What could not be stored is asked about when the page is opened again.
    if (this.editing && overlong(this.editing.area.value)) this.drafts.leave();
    else this.commit();
    this.busy(false);
    this.outbox.listen(null);
    this.listeners.abort();
  }

  // What comes from the server

  private async ask(): Promise<Stored | null> {
    for (let wait = 500; !this.signal.aborted; wait = Math.min(4000, 2 * wait)) {
      try {
        const response = await fetch(this.api, { signal: this.signal });
        if (response.status === 401 || response.status === 403) { this.standing('signedout', 0); return null; }
        if (!response.ok) throw new Error(String(response.status));
        const stored = await response.json() as Stored;
        if (this.element.dataset.cover === 'failed') this.say('note', '');
        this.element.dataset.cover = 'none';
        return stored;
      } catch {
        if (this.signal.aborted) return null;
        this.element.dataset.cover = 'failed';
        this.say('note', 'The server does not answer. Trying again…');
        await new Promise(done => setTimeout(done, wait));
      }
    }
    return null;
  }

  private take(stored: Stored): void {
    [this.segments, this.version, this.state, this.stale] = [stored.segments, stored.version, stored.state, false];
    this.named = new Set(stored.segments.map(s => s.speaker));
  }

  /** Whether somebody else has changed something meanwhile. */
  private async look(): Promise<void> {
    if (document.hidden || this.outbox.waiting.length > 0) return;
    const response = await fetch(`${this.api}/version`, { signal: this.signal }).catch(() => null);
    if (!response?.ok) { if (this.stale) await this.reload(); return; }
    const { version, others } = await response.json() as { version: number; others: string[] };
    if (others.join() !== this.others.join()) { this.others = others; this.facts(); }
    if (this.stale || version > this.version) await this.reload();
  }

  /** Takes in what is stored, as soon as nothing of ours is on its way; also while somebody writes, unless it is their passage that is gone. Until then the page is stale. */
  private async reload(): Promise<void> {
    this.stale = true;
    this.asked++;
    this.facts();
    if (this.asking) return;
    this.asking = true;
    try {
      while (this.stale && this.outbox.waiting.length === 0 && !this.signal.aborted) {
        const known = this.segments, asked = this.asked, stored = await this.ask();
        if (!stored) return;
        // What was changed in the meantime is newer than the answer.
        if (this.segments !== known || this.asked !== asked || this.outbox.waiting.length > 0) continue;
        if ((this.editing && !stored.segments.some(s => s.uid === this.editing!.uid)) || this.element.querySelector('input.passage-speaker')) return;
        this.renew(stored);
      }
    } finally { this.asking = false; }
  }

  private renew(stored: Stored): void {
    const chosen = this.chosen, before = chosen && this.segments[chosen.segment], speakers = new Map(this.segments.map(s => [s.uid, s.speaker])), area = this.editing?.area, top = area?.getBoundingClientRect().top;
    this.take(stored);
    const same = before ? this.segments.findIndex(s => s.uid === before.uid) : -1;
    this.chosen = same >= 0 ? { segment: same, word: chosen!.word } : before?.start != null && this.segments.length > 0 ? { segment: Math.max(0, segmentAt(this.segments, before.start)), word: 0 } : null;
    this.show();
    // What one writes stays where it is, whatever came or went above.
    if (area && top !== undefined) this.part('list').scrollTop += area.getBoundingClientRect().top - top;
    this.segments.forEach((s, i) => {
      const said = speakers.get(s.uid);
      if (said === undefined || said === s.speaker) return;
      const who = this.rows.element(i)?.querySelector<HTMLElement>('button.passage-speaker');
      if (who) name(who, this.heading(s), 'Change the speaker');
      if (said !== null) this.say('note', `Names are not kept: “${said}” is ${s.speaker} here.`);
    });
  }

  private stored(entry: Entry, receipt: Receipt): void {
    const { key, changes } = entry.body as Partial<Edit>;
    // It is ours alone where it is the next version after the one that is shown; one that had been stored before may have another's behind it.
    const ours = !this.stale && !receipt.conflict && receipt.version <= this.version + (receipt.again ? 0 : 1);
    if (ours && receipt.version >= this.version) [this.version, this.state] = [receipt.version, receipt.state];
    if (receipt.conflict && !changes)
      this.say('note', `Somebody else has changed the transcript since you looked at it. Look through it, and ${entry.url.endsWith('/restore') ? 'go back again if you still want to' : 'accept it again'}.`);
    else if (receipt.conflict && this.written(changes!)) this.setAside({ key: key!, why: 'Somebody else changed this passage before you. Theirs is shown; yours is kept here:', changes: changes! });
    else if (receipt.conflict) this.say('note', 'Somebody else changed this passage before you; theirs is shown.');
    if (entry.url.endsWith('/accept') && !receipt.conflict) {
      this.accepted = receipt.version;
      this.say('note', 'Accepted; U takes that back, G goes on to the next.');
    }
    const asSent = changes?.every(c => c.with.every(s => s.speaker === null || this.named.has(s.speaker)));
    if (!ours || !asSent) void this.reload();
    this.facts();
    if (this.part<HTMLDetailsElement>('history').open) void this.history();
  }

  private standing(state: Standing, waiting: number): void {
    const at = this.part('save');
    at.className = `save-state ${state}`;
    const many = waiting > 1 ? ` (${waiting} changes)` : '';
    at.textContent = { nothing: '', saving: 'saving…', saved: 'saved', notsaved: `not saved, trying again${many}`, signedout: 'not saved: you are signed out' }[state];
    this.part('sign-in').hidden = state !== 'signedout';
    this.acceptable();
  }

  private acceptable(): void {
    this.part<HTMLButtonElement>('accept').disabled = this.segments.length === 0 || this.state === 'Accepted' || this.outbox.waiting.length > 0 || this.stale;
  }

  private post(path: string, body: object): void {
    const key = newKey();
    this.outbox.add(`${this.api}/${path}`, key, { key, ...body });
  }

  // Changes

  private change(changes: Change[]): boolean { return changes.length > 0 && this.made(this.steps.do(this.segments, changes)); }

  private made(made: Made | null): boolean {
    if (!made) { this.say('note', 'This passage has changed since; nothing was done.'); return false; }
    this.segments = made.segments;
    this.state = 'Reviewing';
    this.post('edits', { changes: made.changes });
    this.show();
    return true;
  }

  private undo(): void {
    if (this.accepted === this.version && this.state === 'Accepted' && this.outbox.waiting.length === 0 && !this.stale) {
      this.accepted = null;
      this.goBack(this.version - 1);
      this.say('note', 'It is not accepted any more.');
      return;
    }
    const made = this.steps.undo(this.segments);
    if (made === undefined) this.say('note', 'There is nothing of this visit left to take back; the history has all earlier versions.');
    else if (this.made(made)) this.say('note', '');
  }

  private redo(): void {
    const made = this.steps.redo(this.segments);
    if (made === undefined) this.say('note', 'There is nothing that was taken back.');
    else if (this.made(made)) this.say('note', '');
  }

  private alter(index: number, alteration: Partial<Segment>): Segment {
    const before = this.segments[index]!, after = { ...before, ...alteration, uid: newKey() };
    this.change([{ replaces: [before.uid], with: [after] }]);
    return after;
  }

  private edit(index: number, at?: number): void {
    if (!this.commit()) return;
    const segment = this.segments[index];
    if (!segment) return;
    this.choose({ segment: index, word: this.chosen?.segment === index ? this.chosen.word : 0 }, true);
    const text = this.rows.element(index)?.querySelector<HTMLElement>('.passage-text'), { words: _, ...passage } = segment;
    if (!text) return;
    const area = document.createElement('textarea');
    area.className = 'passage-edit';
    area.value = textOf(segment);
    area.rows = 1;
    area.setAttribute('aria-label', `Text of the passage at ${segment.start === null ? 'an unknown time' : stamp(segment.start)}`);
    const fit = () => { area.style.height = 'auto'; area.style.height = `${area.scrollHeight}px`; };
    area.addEventListener('input', () => { this.drafts.keep({ passage, text: area.value }); fit(); this.rows.remeasure(this.segments.findIndex(s => s.uid === segment.uid)); });
    // Another window in front ends nothing: what is typed after it would be taken for commands.
    area.addEventListener('blur', () => { if (document.activeElement !== area) this.commit(); });
    text.replaceWith(area);
    this.editing = { uid: segment.uid, passage, area };
    this.busy(true);
    fit();
    area.focus();
    const word = this.chosen?.word ?? 0, caret = at ?? segment.words.slice(0, word).reduce((sum, w) => sum + w[0].length + 1, 0);
    // A word that is to be checked is replaced by what is typed.
    area.setSelectionRange(caret, caret + (at === undefined && doubtful(segment.words[word], this.options.limits) ? segment.words[word]![0].length : 0));
    this.rows.remeasure(index);
  }

  /** Ends the writing. False where it goes on, since what is written could not be stored. */
  private commit(): boolean {
    const edit = this.editing;
    if (!edit) return true;
    const long = overlong(edit.area.value);
    if (long && edit.area.isConnected) {
      this.say('note', `“${long.slice(0, 30)}…” is too long for one word: 200 letters at most. Part it.`);
      requestAnimationFrame(() => edit.area.focus());
      return false;
    }
    this.editing = null;
    this.busy(false);
    const index = this.segments.findIndex(s => s.uid === edit.uid), segment = this.segments[index];
    if (!segment) this.sendLate({ ...edit.passage, words: [] }, edit.area.value);
    else {
      const words = rewritten(segment, edit.area.value);
      if (words.map(w => w[0]).join(' ') === textOf(segment)) {
        this.remake(index);
        this.rows.remeasure(index);
      } else this.alter(index, { words });
    }
    this.drafts.forget();
    if (this.stale) void this.reload();
    return true;
  }

  /** Ends the writing and leaves the passage as it was. What was typed is one step back: nothing is lost by a slip. */
  private cancel(): void {
    const edit = this.editing, before = this.segments;
    if (edit && overlong(edit.area.value)) edit.area.value = textOf(this.segments.find(s => s.uid === edit.uid) ?? { ...edit.passage, words: [] });
    this.commit();
    if (this.segments === before) return;
    this.undo();
    this.say('note', 'What you typed was taken back; Y brings it again.');
  }

  /** Nobody's page is loaded anew as they write (reconnect.ts). */
  private busy(busy: boolean): void {
    if (busy) document.body.dataset.busy = 'true';
    else delete document.body.dataset.busy;
  }

  /** What was written in a passage that is not there any more: the server sets it aside, and it is asked what becomes of it. */
  private sendLate(passage: Segment, text: string): void {
    if (tokens(text).length > 0) this.post('edits', { changes: [{ replaces: [passage.uid], with: [{ ...passage, uid: newKey(), words: rewritten(passage, text) }] }] });
  }

  /** Fills the passage anew where it stands, since its key stays. */
  private remake(index: number): void {
    this.rows.element(index)?.replaceChildren(...this.passage(this.segments[index]!).childNodes);
    this.mark();
  }

  /** Text that was being typed as a window closed. */
  private takeUpDrafts(): void {
    for (const { passage, text } of this.drafts.takeUp()) {
      const index = this.segments.findIndex(s => s.uid === passage.uid), segment = this.segments[index];
      if (!segment) { this.sendLate({ ...passage, words: [] }, text); continue; }
      if (tokens(text).join(' ') === textOf(segment)) continue;
      this.alter(index, { words: rewritten(segment, text) });
      if (!this.chosen) this.choose({ segment: index, word: 0 });
      this.say('note', 'What you were typing when the page was closed has been taken over.');
    }
  }

  private splitHere(): void {
    if (!this.chosen || this.chosen.word === 0) { this.say('note', 'Choose the word that the new passage is to begin with, then split.'); return; }
    const { segment, word } = this.chosen, old = this.segments[segment]!;
    if (this.change([{ replaces: [old.uid], with: split(old, word, newKey) }])) this.choose({ segment: segment + 1, word: 0 });
  }

  private mergeHere(index = this.chosen?.segment ?? -1): boolean {
    const a = this.segments[index], b = this.segments[index + 1];
    if (a && b) return this.change([{ replaces: [a.uid, b.uid], with: [merged(a, b, newKey)] }]);
    this.say('note', 'Choose a passage that another one follows, then merge.');
    return false;
  }

  /** Parts the passage at the caret, and goes on writing in the second. */
  private splitAtCaret(area: HTMLTextAreaElement): void {
    const index = this.chosen?.segment ?? -1, word = tokens(area.value.slice(0, area.selectionStart)).length;
    // Within a word the whole of it goes with the second part.
    const inside = /\S$/u.test(area.value.slice(0, area.selectionStart)) && /^\S/u.test(area.value.slice(area.selectionStart));
    if (!this.commit()) return;
    const at = inside ? word - 1 : word, segment = this.segments[index];
    if (!segment || at <= 0 || at >= segment.words.length) { this.edit(index, at <= 0 ? 0 : area.value.length); return; }
    if (this.change([{ replaces: [segment.uid], with: split(segment, at, newKey) }])) this.edit(index + 1, 0);
  }

  /** Joins the passage that is being written to the one before, and goes on writing where they meet. */
  private mergeAtCaret(): void {
    const before = (this.chosen?.segment ?? 0) - 1, text = this.segments[before] && textOf(this.segments[before]);
    if (text === undefined) return;
    if (!this.commit()) return;
    if (this.mergeHere(before)) this.edit(before, text.length + (text ? 1 : 0));
  }

  private insertHere(): void {
    const at = this.player?.wave.getCurrentTime() ?? 0, change = inserted(this.segments, at, newPassage, this.player?.outline.seconds ?? at + newPassage, newKey);
    if (this.change([change])) this.edit(this.segments.findIndex(s => s.uid === change.with[0]!.uid));
  }

  /** The chosen passage begins, or ends, where the sound is. */
  private move(edge: 'start' | 'end'): void {
    const index = this.chosen?.segment ?? -1, at = this.player?.wave.getCurrentTime();
    if (!this.segments[index] || at === undefined) { this.say('note', 'Choose the passage whose time is to be changed.'); return; }
    const times = moved(this.segments, index, edge, at);
    if (!times) { this.say('note', edge === 'start' ? 'It cannot begin there: its end, or a passage round it, is in the way.' : 'It cannot end there: it begins later.'); return; }
    this.alter(index, times);
    this.say('note', `The passage ${edge === 'start' ? 'begins' : 'ends'} at ${stamp(at)} now; U takes it back.`);
  }

  private takeOut(): void {
    const index = this.chosen?.segment ?? -1, segment = this.segments[index];
    if (!segment) { this.say('note', 'Choose the passage that is to be taken out.'); return; }
    if (this.change([{ replaces: [segment.uid], with: [] }])) this.say('note', 'The passage was taken out; U puts it back.');
  }

  private speaker(index: number, typed: string, everywhere: boolean): void {
    const speaker = tokens(typed).join(' ') || null, before = this.segments[index];
    if (!before || before.speaker === speaker) return;
    const others = this.segments.filter(s => s !== before && s.speaker === before.speaker);
    if (everywhere) { this.speakers(before.speaker, speaker); return; }
    this.alter(index, { speaker });
    if (before.speaker === null || others.length === 0) return;
    this.renaming = { from: before.speaker, to: speaker };
    this.say('note', `Changed in this passage; ${others.length} more ${others.length === 1 ? 'is' : 'are'} by ${before.speaker}.`);
    this.part('rename').hidden = false;
    this.say('rename', `Change ${others.length === 1 ? 'that one' : `all ${others.length}`} too`);
  }

  /** Gives all passages of one speaker to another. */
  private speakers(from: string | null, to: string | null): void {
    const changes = this.segments.filter(s => s.speaker === from).map((s): Change => ({ replaces: [s.uid], with: [{ ...s, uid: newKey(), speaker: to }] }));
    if (this.change(changes)) this.say('note', `${changes.length} passages are by ${to ?? 'nobody named'} now; U takes it back.`);
  }

  private confirm(): void {
    const place = this.chosen, segment = place && this.segments[place.segment], word = segment?.words[place!.word];
    if (!segment || !word || confirmed(word) === word) return;
    this.alter(place!.segment, { words: segment.words.map((w, i): Word => i === place!.word ? confirmed(w) : w) });
    this.unsure(1);
  }

  private confirmPassage(): void {
    const index = this.chosen?.segment ?? -1, segment = this.segments[index];
    if (!segment) return;
    if (segment.words.some(w => confirmed(w) !== w)) this.alter(index, { words: segment.words.map(confirmed) });
    this.chosen = { segment: index, word: segment.words.length };
    this.unsure(1);
  }

  private begin(): void {
    // A passage for each stretch of speech that was found, to be filled in; or one for all.
    const found = this.player?.speech.filter(s => s.end > s.start) ?? [];
    const made = found.length > 0 ? found.map((s): Segment => ({ uid: newKey(), speaker: this.player!.outline.apart ? `Speaker ${s.channel + 1}` : null, start: s.start, end: s.end, words: [] }))
      : [{ uid: newKey(), speaker: null, start: this.player ? 0 : null, end: this.player?.outline.seconds ?? null, words: [] }];
    if (this.change([{ replaces: [], with: made, after: '' }])) this.edit(0);
  }

  private setAside(late: Late): void {
    this.late.push(late);
    try { localStorage.setItem(this.lateAt + late.key, JSON.stringify(late)); } catch { /* storage full or forbidden: it is still shown */ }
    this.showLate();
  }

  private showLate(): void {
    const late = this.late[0];
    this.part('conflict').hidden = !late;
    if (!late) return;
    this.say('conflict-why', this.late.length > 1 ? `${late.why} (the first of ${this.late.length})` : late.why);
    this.say('conflict-text', this.written(late.changes));
  }

  private putMine(): void {
    const late = this.late[0];
    if (!late) return;
    if (this.stale) { this.say('note', 'What is stored is being fetched; try again once it is shown.'); return; }
    const { changes, left } = inPlace(this.segments, late.changes, newKey);
    if (!this.change(changes)) { this.say('note', 'The passage is not there any more; copy your text from here to where it belongs.'); return; }
    this.settled();
    if (!this.written(left)) return;
    this.say('note', 'What is left finds no place; copy it to where it belongs.');
    this.setAside({ ...late, changes: left });
  }

  private settled(): void {
    const late = this.late.shift();
    if (late) localStorage.removeItem(this.lateAt + late.key);
    this.showLate();
  }

  private written(changes: readonly Change[]): string { return changes.flatMap(c => c.with).map(textOf).filter(Boolean).join(' / '); }

  // What is seen

  private show(): void {
    this.rows.refresh();
    this.headings();
    if (this.chosen && !this.segments[this.chosen.segment]?.words[this.chosen.word]) {
      const segment = Math.min(this.chosen.segment, this.segments.length - 1);
      this.chosen = segment < 0 ? null : { segment, word: Math.max(0, Math.min(this.chosen.word, this.segments[segment]!.words.length - 1)) };
    }
    this.mark();
    this.facts();
  }

  private facts(): void {
    const { words, doubtful, unsure, unlikely } = count(this.segments, this.options.limits);
    this.say('state', this.segments.length === 0 ? 'There is no transcript yet.' : `${states[this.state]}, version ${Math.max(1, this.version)}${this.others.length === 0 ? '' : `; ${this.others.join(', ')} ${this.others.length === 1 ? 'has' : 'have'} it open too`}`);
    this.say('count', `${this.segments.length.toLocaleString('en')} passage${this.segments.length === 1 ? '' : 's'}, ${words.toLocaleString('en')} words${doubtful > 0 ? `, ${doubtful.toLocaleString('en')} to be checked` : ''}`);
    this.say('unsure-count', unsure.toLocaleString('en'));
    this.say('unlikely-count', unlikely.toLocaleString('en'));
    this.part('legend').hidden = doubtful === 0;
    this.part('legend-unsure').hidden = unsure === 0;
    this.part('legend-unlikely').hidden = unlikely === 0;
    this.part('empty').hidden = this.segments.length > 0;
    this.acceptable();
    const speakers = [...new Set(this.segments.map(s => s.speaker).filter(s => s !== null))].sort();
    const list = this.part<HTMLDataListElement>('speakers');
    if (list.dataset.of !== speakers.join('\n')) {
      list.dataset.of = speakers.join('\n');
      list.replaceChildren(...speakers.map(s => Object.assign(document.createElement('option'), { value: s })));
    }
    this.sought();
  }

  private drawn(index: number): HTMLElement {
    const passage = this.passage(this.segments[index]!);
    if (index === this.chosen?.segment) this.markIn(passage);
    return passage;
  }

  /** Who speaks; where nobody else is named in the whole of it, whose recording it is. */
  private heading(segment: Segment): string { return segment.speaker ?? (this.alone ? this.options.owner : null) ?? 'speaker?'; }

  private headings(): void {
    const alone = this.segments.every(s => s.speaker === null || s.speaker === this.options.owner);
    if (alone === this.alone) return;
    this.alone = alone;
    this.segments.forEach((s, i) => {
      const who = this.rows.element(i)?.querySelector<HTMLElement>('button.passage-speaker');
      if (who) name(who, this.heading(s), 'Change the speaker');
    });
  }

  private passage(segment: Segment): HTMLElement {
    const passage = document.createElement('div');
    passage.className = 'passage';
    passage.dataset.uid = segment.uid;
    const time = button('passage-time', segment.start === null ? '–' : stamp(segment.start), 'Play from here'), who = button('passage-speaker', this.heading(segment), 'Change the speaker');
    time.dataset.do = 'play';
    who.dataset.do = 'speaker';
    const text = document.createElement('p');
    text.className = 'passage-text';
    segment.words.forEach((word, i) => {
      const span = document.createElement('span');
      span.textContent = word[0];
      span.dataset.word = String(i);
      const { unsure, unlikely } = doubt(word, this.options.limits);
      if (unsure || unlikely) { span.className = unsure && unlikely ? 'unsure unlikely' : unsure ? 'unsure' : 'unlikely'; span.title = this.why(word); }
      text.append(span, ' ');
    });
    if (segment.words.length === 0) text.append(Object.assign(document.createElement('span'), { className: 'passage-empty', textContent: 'no words; press Enter to write' }));
    passage.append(time, who, text);
    return passage;
  }

  /** Why a word is to be checked, in words. */
  private why(word: Word): string {
    const { unsure, unlikely } = doubt(word, this.options.limits);
    const heard = unsure ? `the transcriber is only ${Math.round(100 * word[3]!)} % sure of what it heard` : '', read = unlikely ? `it hardly fits between the words round it (${Math.round(100 * (1 - word[4]!))} of 100 words fit better)` : '';
    return heard && read ? `${heard}, and ${read}` : heard || read;
  }

  private choose(place: Place, quietly = false, spoken = !quietly): void {
    const before = this.chosen?.segment, segment = this.segments[place.segment];
    this.chosen = place;
    this.listening = false;
    this.touched = performance.now();
    if (this.loop && !quietly && before !== place.segment) this.loopOver(segment);
    if (segment) this.rows.reveal(place.segment);
    this.mark();
    if (spoken && segment) this.say('place', before === place.segment ? segment.words[place.word]?.[0] ?? '' : `${segment.speaker ?? 'No speaker'}${segment.start === null ? '' : `, ${stamp(segment.start)}`}: ${textOf(segment) || 'no words'}`);
    if (quietly) return;
    const start = this.segments[place.segment]?.start, address = new URL(location.href);
    if (start != null) { address.searchParams.set('at', start.toFixed(1)); history.replaceState(history.state, '', address); }
  }

  private mark(): void {
    for (const old of this.element.querySelectorAll('.passage.chosen, .chosen-word')) { old.classList.remove('chosen', 'chosen-word'); old.removeAttribute('aria-current'); }
    if (this.chosen && this.segments[this.chosen.segment]) this.markIn(this.rows.element(this.chosen.segment));
  }

  private markIn(passage: HTMLElement | undefined): void {
    passage?.classList.add('chosen');
    passage?.setAttribute('aria-current', 'true');
    passage?.querySelector(`[data-word="${this.chosen!.word}"]`)?.classList.add('chosen-word');
  }

  private moved(seconds: number): void {
    const { wave } = this.player!;
    if (seconds >= this.until) { this.until = Infinity; wave.pause(); }
    if (this.loop) {
      const [start, end] = this.loop;
      if (seconds >= end && seconds < end + leaves) { wave.setTime(start); return; }
      if (seconds >= end || seconds < start - leaves) this.loopOver(undefined);
    }
    const place = spokenAt(this.segments, seconds), passage = place && this.rows.element(place.segment);
    const now = passage?.querySelector<HTMLElement>(`[data-word="${place!.word}"]`) ?? null;
    if (now !== this.spoken) {
      this.spoken?.classList.remove('spoken');
      now?.classList.add('spoken');
      this.spoken = now;
    }
    if (place && place.segment !== this.chosen?.segment && this.leads) {
      this.chosen = place;
      this.mark();
    }
    if (place && (!passage || place.segment !== this.followed) && this.follows) this.rows.reveal(this.followed = place.segment);
  }

  /** Whether the list goes with the sound: not while somebody types, nor for a while after they have scrolled elsewhere. */
  private get follows(): boolean {
    return !this.editing && performance.now() - this.scrolled > stays && this.player!.wave.isPlaying() && this.part<HTMLInputElement>('follow').checked;
  }

  /** Whether what is heard becomes what is chosen, so that a key means the passage one is listening to: not while somebody types, nor for a while after they chose another one. */
  private get leads(): boolean {
    return !this.editing && this.until === Infinity && this.player!.wave.isPlaying() && this.part<HTMLInputElement>('follow').checked && (this.listening || performance.now() - this.touched > stays);
  }

  /** Somebody took the sound to a moment by hand. */
  private goneTo(seconds: number): void {
    this.until = Infinity;
    const place = this.editing ? null : spokenAt(this.segments, seconds);
    if (place) this.choose(place, true);
    this.listening = true;
  }

  private say(name: string, text: string): void {
    const at = this.part(name);
    if (at.textContent !== text) at.textContent = text;
  }

  private part<T extends HTMLElement = HTMLElement>(name: string): T { return this.element.querySelector<T>(`[data-part="${name}"]`)!; }

  // What is pressed

  private play(place: Place): void {
    const segment = this.segments[place.segment], start = segment?.words[place.word]?.[1] ?? segment?.start;
    if (start == null || !this.player) return;
    this.until = Infinity;
    this.listening = true;
    this.player.wave.setTime(start);
    void this.player.wave.play();
  }

  /** One word, with a little before and after it. */
  private playWord(place: Place): void {
    const [, start, end] = this.segments[place.segment]!.words[place.word]!;
    if (start == null || end == null || !this.player) { this.play(place); return; }
    this.until = end + tail;
    this.player.wave.setTime(Math.max(0, start - lead));
    void this.player.wave.play();
  }

  /** The words from the caret on, while somebody types. */
  private playCaret(area: HTMLTextAreaElement): void {
    const segment = this.chosen?.segment ?? -1, old = this.segments[segment];
    if (!old || !this.player) return;
    const word = rewritten(old, area.value)[Math.max(0, tokens(area.value.slice(0, area.selectionStart) + 'x').length - 1)], start = word?.[1] ?? old.start;
    if (start == null) return;
    this.until = Infinity;
    this.player.wave.setTime(start);
    void this.player.wave.play();
  }

  private pedal(): void {
    const wave = this.player?.wave;
    if (!wave) return;
    this.until = Infinity;
    if (!wave.isPlaying()) {
      this.listening = true;
      wave.setTime(Math.max(0, wave.getCurrentTime() - rewind));
    }
    void wave.playPause();
  }

  private unsure(by: 1 | -1): boolean {
    const place = nextDoubt(this.segments, this.chosen, by, this.options.limits);
    if (!place) { this.say('note', by > 0 ? 'There is no word to be checked after this one.' : 'There is no word to be checked before this one.'); return false; }
    const word = this.segments[place.segment]!.words[place.word]!;
    this.say('note', `“${word[0]}”: ${this.why(word)}.`);
    // The note says the word already.
    this.choose(place, false, false);
    this.playWord(place);
    return true;
  }

  /** The same word in all recordings. */
  private elsewhere(): void {
    const word = this.chosen && this.segments[this.chosen.segment]?.words[this.chosen.word]?.[0].replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
    if (!word) { this.say('note', 'Choose the word that is to be looked for in all recordings.'); return; }
    location.assign(`${this.options.words}?view=find&what=${encodeURIComponent(word)}`);
  }

  /** Listens as this person did before. */
  private remember(): void {
    const field = this.element.querySelector<HTMLSelectElement>('[data-speed]')!, before = kept(speedAt);
    if (before && [...field.options].some(o => o.value === before)) { field.value = before; field.dispatchEvent(new Event('change')); }
    if (kept(followAt) === 'false') this.part<HTMLInputElement>('follow').checked = false;
  }

  private speed(by: 1 | -1): void {
    const field = this.element.querySelector<HTMLSelectElement>('[data-speed]')!, next = field.selectedIndex + by;
    if (next < 0 || next >= field.options.length) return;
    field.selectedIndex = next;
    field.dispatchEvent(new Event('change'));
  }

  private passageBy(by: 1 | -1): void {
    if (this.segments.length === 0) return;
    this.choose({ segment: Math.max(0, Math.min(this.segments.length - 1, (this.chosen?.segment ?? (by > 0 ? -1 : this.segments.length)) + by)), word: 0 });
  }

  private wordBy(by: 1 | -1): void {
    if (!this.chosen) { this.passageBy(by); return; }
    const { segment, word } = this.chosen, words = this.segments[segment]!.words.length;
    if (word + by >= 0 && word + by < words) this.choose({ segment, word: word + by });
    else if (this.segments[segment + by]) this.choose({ segment: segment + by, word: by > 0 ? 0 : Math.max(0, this.segments[segment + by]!.words.length - 1) });
  }

  private toggleLoop(): void {
    this.loopOver(this.loop ? undefined : this.segments[this.chosen?.segment ?? -1]);
    if (this.loop) void this.player?.wave.play();
  }

  /** Plays a passage over and over from its beginning; none: ends that. */
  private loopOver(segment: Segment | undefined): void {
    this.loop = segment?.start != null && segment.end != null ? [segment.start, segment.end] : null;
    this.element.querySelector('[data-do="loop"]')!.setAttribute('aria-pressed', String(this.loop !== null));
    this.until = Infinity;
    if (this.loop) this.player?.wave.setTime(this.loop[0]);
  }

  private get search(): Sought {
    return { what: this.part<HTMLInputElement>('what').value, matchCase: this.part<HTMLInputElement>('case').checked, wholeWords: this.part<HTMLInputElement>('whole').checked };
  }

  private sought(): void {
    const search = this.search, found = hits(this.segments, search), passages = new Set(found.map(f => f.segment)).size;
    this.say('found', search.what.trim() ? found.length === 0 ? 'not found' : `${found.length} times in ${passages} ${passages === 1 ? 'passage' : 'passages'}` : '');
    for (const name of ['replace', 'replace-one']) this.part<HTMLButtonElement>(name).disabled = found.length === 0;
  }

  private findNext(by: 1 | -1 = 1): void {
    const next = nextHit(hits(this.segments, this.search), this.chosen, by);
    if (next) this.choose(next);
  }

  /** Replaces the place that is chosen, and goes on to the next; where none is chosen, goes to it first. */
  private replaceThis(): void {
    const { segment, word } = this.chosen ?? { segment: -1, word: -1 }, here = hits(this.segments, this.search).find(h => h.segment === segment && h.word === word);
    if (here) {
      const by = this.part<HTMLInputElement>('by').value;
      this.change(replaceOne(this.segments, here, by, newKey));
      // What it became may hold what is looked for.
      this.chosen = { segment, word: word + Math.max(0, tokens(by).length - 1) };
    }
    this.findNext();
  }

  private replaceThem(): void {
    const changes = replaceAll(this.segments, this.search, this.part<HTMLInputElement>('by').value, newKey);
    if (this.change(changes)) this.say('note', `Replaced in ${changes.length} ${changes.length === 1 ? 'passage' : 'passages'}; U takes it back.`);
  }

  private async history(): Promise<void> {
    const [response, late] = await Promise.all([fetch(`${this.api}/history`, { signal: this.signal }), fetch(`${this.api}/set-aside`, { signal: this.signal })]);
    if (!response.ok || !late.ok) return;
    const aside = (await late.json() as SetAside[]).map(e => {
      const line = document.createElement('li');
      line.append(`${e.by}, ${new Date(e.at).toLocaleString('en-GB')}: ${e.text || 'a passage taken out'}`);
      return line;
    });
    this.part('aside').hidden = aside.length === 0;
    this.part('aside-list').replaceChildren(...aside);
    const words: Record<string, string> = { Transcribed: 'written by the model', BroughtIn: 'brought in', Edited: 'edited', Replaced: 'words replaced in many recordings at once', Restored: 'gone back to version', Accepted: 'accepted' };
    this.part('versions').replaceChildren(...(await response.json() as Version[]).map(v => {
      const line = document.createElement('li'), back = button('plain-button', 'Go back to this', `Go back to version ${v.number}`), look = button('plain-button', 'Look at it', `Look at version ${v.number}`);
      back.dataset.version = look.dataset.look = String(v.number);
      look.setAttribute('aria-expanded', 'false');
      line.append(`${v.number}: ${words[v.deed] ?? v.deed}${v.of === null ? '' : ` ${v.of}`}, ${v.by}, ${new Date(v.at).toLocaleString('en-GB')} `);
      if (v.number !== this.version) line.append(look, ' ', back);
      return line;
    }));
  }

  /** Shows below its line how a version differs from what is there now, and closes it again. */
  private async lookAt(version: string, at: HTMLElement): Promise<void> {
    const entry = at.closest('li')!, open = entry.querySelector('[data-looked]');
    at.setAttribute('aria-expanded', String(!open));
    if (open) { open.remove(); return; }
    const shown = made('div', 'Fetching it…');
    shown.dataset.looked = version;
    entry.append(shown);
    const response = await fetch(`${this.api}?version=${version}`, { signal: this.signal }).catch(() => null);
    if (!response?.ok) { shown.textContent = 'The version could not be fetched; try again.'; return; }
        const { segments } = await response.json() as Stored, line = (s: Segment) => `${s.start === null ? '' : `${stamp(s.start)} `}${s.speaker ? `${s.speaker}: ` : ''}${textOf(s) || 'no words'}`;
    const listed = (title: string, of: readonly Segment[]) => {
      const list = made('ul');
      list.className = 'transcript-versions';
      list.append(...of.map(s => made('li', line(s))));
      return of.length > 0 ? [made('p', title), list] : [];
    };
    const differs = [...listed('There, other than now:', unlike(segments, this.segments)), ...listed('Now, other than there:', unlike(this.segments, segments))], files = made('p', 'Write this version out as ');
    for (const link of this.element.querySelectorAll<HTMLAnchorElement>('a[data-format]')) {
      const of = link.cloneNode(true) as HTMLAnchorElement;
      of.href += `&version=${version}`;
      files.append(of, ' ');
    }
    shown.replaceChildren(...(differs.length > 0 ? differs : [made('p', 'It says the same as now.')]), files);
  }

  private async next(): Promise<void> {
    // Who accepts and goes on in one breath means both.
    for (let tenths = 0; this.outbox.waiting.length > 0 && tenths < 50; tenths++) {
      if (tenths === 3) this.say('note', 'Your last changes are still on their way; it goes on once they are saved.');
      await new Promise(done => setTimeout(done, 100));
      if (this.signal.aborted) return;
    }
    if (this.outbox.waiting.length > 0) { this.say('note', 'Your last changes could not be saved yet; go on once they are.'); return; }
    const response = await fetch(`${this.api}/next`, { signal: this.signal }).catch(() => null);
    if (!response?.ok) { this.say('note', 'The server does not answer; try again.'); return; }
    const { page } = await response.json() as { page: string | null };
    if (page) location.assign(page);
    else this.say('note', 'No other transcript waits to be read.');
  }

  private askSpeaker(index: number, at: HTMLElement): void {
    const field = Object.assign(document.createElement('input'), { className: 'passage-speaker', value: this.segments[index]!.speaker ?? '', maxLength: 100 });
    field.setAttribute('list', this.part('speakers').id);
    field.setAttribute('aria-label', 'Speaker');
    field.setAttribute('aria-describedby', this.part('note').id);
    const uid = this.segments[index]!.uid, byKey = document.activeElement !== at;
    let everywhere = false, back = false;
    const done = () => {
      const now = this.segments.findIndex(s => s.uid === uid);
      if (document.activeElement === field) return;
      this.busy(false);
      if (now < 0 || !field.isConnected) return;
      field.replaceWith(at);
      this.say('note', '');
      this.speaker(now, field.value, everywhere);
      if (back) ((!byKey && this.rows.element(now)?.querySelector<HTMLElement>('button.passage-speaker')) || this.part('list')).focus();
      if (this.stale) void this.reload();
    };
    field.addEventListener('blur', done);
    field.addEventListener('keydown', event => {
      if (isComposing(event)) return;
      if (event.key === 'Escape') field.value = this.segments.find(s => s.uid === uid)?.speaker ?? '';
      if (event.key === 'Enter' || event.key === 'Escape') { everywhere = event.key === 'Enter' && event.ctrlKey; back = true; event.preventDefault(); field.blur(); }
    });
    this.say('note', 'Roles such as Patient and labels such as Speaker 1 stay; names become pseudonyms.');
    this.busy(true);
    at.replaceWith(field);
    field.focus();
    field.select();
  }

  /** The chosen passage's speaker, without the mouse. */
  private who(): void {
    const index = this.chosen?.segment ?? -1, at = this.segments[index] && this.rows.element(index)?.querySelector<HTMLElement>('button.passage-speaker');
    if (at) this.askSpeaker(index, at);
    else this.say('note', 'Choose the passage whose speaker is to be changed.');
  }

  private goBack(version: number): void {
    if (this.outbox.waiting.length > 0 || this.stale) this.say('note', 'Your last changes are still on their way; go back once they are saved.');
    else this.post('restore', { version, seen: this.version });
  }

  private async bringIn(file: File): Promise<void> {
    const response = await fetch(`${this.api}/file`, { method: 'POST', headers: { RequestVerificationToken: this.options.token }, body: file, signal: this.signal });
    if (response.ok) {
      const { again } = await response.json() as Receipt;
      this.say('note', again ? `${file.name} had been brought in before; nothing was changed.` : `${file.name} was brought in; the history has what was there before.`);
      await this.reload();
      return;
    }
    const problem = await response.json().catch(() => null) as { detail?: string } | null;
    this.say('note', problem?.detail ?? 'The file could not be brought in.');
  }

  private act(what: string): void {
    const chosen = this.chosen?.segment ?? 0;
    switch (what) {
      case 'pedal': this.pedal(); break;
      case 'before': this.passageBy(-1); break;
      case 'after': this.passageBy(1); break;
      case 'word-before': this.wordBy(-1); break;
      case 'word-after': this.wordBy(1); break;
      case 'hear': if (this.chosen) this.play(this.chosen); break;
      case 'edit': this.edit(chosen); break;
      case 'unsure-before': this.unsure(-1); break;
      case 'unsure-after': this.unsure(1); break;
      case 'confirm': this.confirm(); break;
      case 'split': this.splitHere(); break;
      case 'merge': this.mergeHere(); break;
      case 'loop': this.toggleLoop(); break;
      case 'undo': this.undo(); break;
      case 'redo': this.redo(); break;
      case 'confirm-passage': this.confirmPassage(); break;
      case 'insert': this.insertHere(); break;
      case 'take-out': this.takeOut(); break;
      case 'begins': this.move('start'); break;
      case 'ends': this.move('end'); break;
      case 'who': this.who(); break;
      case 'elsewhere': this.elsewhere(); break;
      case 'slower': this.speed(-1); break;
      case 'faster': this.speed(1); break;
      case 'rename': if (this.renaming) this.speakers(this.renaming.from, this.renaming.to); break;
      case 'find': this.part<HTMLDetailsElement>('finding').open = true; this.part('what').focus(); break;
      case 'find-next': this.findNext(); break;
      case 'find-before': this.findNext(-1); break;
      case 'replace-one': this.replaceThis(); break;
      case 'replace': this.replaceThem(); break;
      case 'begin': this.begin(); break;
      case 'mine': this.putMine(); break;
      case 'theirs': this.settled(); break;
      case 'next': void this.next(); break;
      case 'accept': this.post('accept', { version: this.version }); break;
    }
  }

  /** What a key does that works while one types. */
  private pressed(event: KeyboardEvent): (() => void) | null {
    const key = event.ctrlKey && event.key === ' ' ? 'F8' : event.key, area = this.editing?.area, at = this.chosen?.segment ?? 0;
    if (key === 'F8') return () => area && event.shiftKey ? this.playCaret(area) : this.pedal();
    if (key === 'F7' || key === 'F9') return () => { this.until = Infinity; this.player?.wave.skip(key === 'F7' ? -2 : 2); };
    if (event.ctrlKey && (key === ',' || key === '.')) return () => this.speed(key === ',' ? -1 : 1);
    if (area && event.target === area) {
      if (key === 'Enter' && event.shiftKey) return () => this.splitAtCaret(area);
      if (key === 'Backspace' && area.selectionEnd === 0 && at > 0) return () => this.mergeAtCaret();
      if (key === 'Escape') return () => { this.cancel(); this.part('list').focus(); };
      if (event.ctrlKey && (key === 'ArrowDown' || key === 'ArrowUp')) return () => { if (this.commit() && this.unsure(key === 'ArrowDown' ? 1 : -1)) this.edit(this.chosen!.segment); else this.part('list').focus(); };
      if (key !== 'Enter') return null;
      return () => {
        if (!this.commit()) return;
        if (event.ctrlKey && at + 1 < this.segments.length) { this.edit(at + 1); this.play({ segment: at + 1, word: 0 }); } else this.part('list').focus();
      };
    }
    const deed = event.ctrlKey && !isTyping(event.target) ? withControl[key.toLowerCase()] : undefined;
    return deed ? () => this.act(deed) : null;
  }

  private listen(): void {
    const { element, signal } = this;
    element.addEventListener('click', event => {
      const target = event.target instanceof Element ? event.target : null;
      const passage = target?.closest<HTMLElement>('.passage'), index = passage ? this.segments.findIndex(s => s.uid === passage.dataset.uid) : -1;
      const version = target?.closest<HTMLElement>('[data-version]')?.dataset.version, deed = target?.closest<HTMLElement>('[data-do]');
      const look = target?.closest<HTMLElement>('[data-look]');
      if (look) { void this.lookAt(look.dataset.look!, look); return; }
      if (version) { this.goBack(Number(version)); return; }
      if (passage && index >= 0) {
        const word = target!.closest<HTMLElement>('[data-word]')?.dataset.word;
        if (deed?.dataset.do === 'speaker') this.askSpeaker(index, deed);
        else if (!target!.closest('textarea, input')) {
          this.choose({ segment: index, word: Number(word ?? 0) });
          if (word !== undefined || deed) this.play(this.chosen!);
        }
        return;
      }
      if (deed instanceof HTMLButtonElement && !deed.disabled) { this.say('note', ''); this.part('rename').hidden = true; this.act(deed.dataset.do!); }
    }, { signal });
    element.addEventListener('dblclick', event => {
      const passage = event.target instanceof Element ? event.target.closest<HTMLElement>('.passage-text')?.closest<HTMLElement>('.passage') : null;
      if (passage) this.edit(this.segments.findIndex(s => s.uid === passage.dataset.uid));
    }, { signal });
    // Keys that work while one types, as a pedal sends them; all others belong to keys.ts.
    document.addEventListener('keydown', event => {
      const act = isComposing(event) ? null : this.pressed(event);
      if (!act) return;
      event.preventDefault();
      // A key that is held answers once; only the sound goes on for as long as a foot is down.
      if (!event.repeat || event.key === 'F7' || event.key === 'F9') act();
    }, { signal, capture: true });
    for (const name of ['wheel', 'touchmove']) this.part('list').addEventListener(name, () => { this.scrolled = performance.now(); }, { signal, passive: true });
    for (const name of ['what', 'case', 'whole']) this.part(name).addEventListener('input', () => this.sought(), { signal });
    this.part('what').addEventListener('keydown', event => { const { key, shiftKey } = event as KeyboardEvent; if (key === 'Enter') { event.preventDefault(); this.findNext(shiftKey ? -1 : 1); } }, { signal });
    this.part('history').addEventListener('toggle', () => { if (this.part<HTMLDetailsElement>('history').open) void this.history(); }, { signal });
    this.part('file').addEventListener('change', event => { const field = event.target as HTMLInputElement; if (field.files?.[0]) void this.bringIn(field.files[0]); field.value = ''; }, { signal });
    const speed = element.querySelector<HTMLSelectElement>('[data-speed]')!, follow = this.part<HTMLInputElement>('follow');
    let byMouse = false;
    speed.addEventListener('pointerdown', () => { byMouse = true; }, { signal });
    speed.addEventListener('keydown', () => { byMouse = false; }, { signal });
    speed.addEventListener('change', () => {
      keep(speedAt, speed.value);
      // Who chose it by mouse goes on by keys, which are the list's again.
      if (byMouse && document.activeElement === speed) this.part('list').focus();
      byMouse = false;
    }, { signal });
    follow.addEventListener('change', () => keep(followAt, String(follow.checked)), { signal });
    window.addEventListener('online', () => this.outbox.retry(), { signal });
    window.addEventListener('focus', () => void this.look(), { signal });
    window.addEventListener('pagehide', () => this.drafts.leave(), { signal });
    window.addEventListener('pageshow', () => this.drafts.live(), { signal });
    document.addEventListener('visibilitychange', () => this.drafts.live(), { signal });
  }
}

function keep(at: string, value: string): void {
  try { localStorage.setItem(at, value); } catch { /* storage full or forbidden: it holds for this page */ }
}

function kept(at: string): string | null {
  try { return localStorage.getItem(at); } catch { return null; }
}

const made = (kind: string, text = ''): HTMLElement => Object.assign(document.createElement(kind), { textContent: text });

function button(className: string, text: string, label: string): HTMLButtonElement {
  const made = Object.assign(document.createElement('button'), { type: 'button' as const, className });
  name(made, text, label);
  return made;
}

function name(button: HTMLElement, text: string, label: string): void {
  Object.assign(button, { textContent: text, title: label });
  button.setAttribute('aria-label', `${label}: ${text}`);
}

export async function mount(element: HTMLElement, options: Options): Promise<Widget> {
  const room = new Room(element, options);
  void room.open();
  return { update: () => { /* its options do not change */ }, dispose: () => room.dispose() };
}
