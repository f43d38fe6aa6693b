/**
 * A word as it is stored and sent: text, start, end (seconds), confidence of the model, fit between the words round it (the share of words that fit worse); what is not known is null or missing. A word that a person wrote has
 * neither confidence nor fit.
 */
export type Word = [text: string, start?: number | null, end?: number | null, confidence?: number | null, fit?: number | null];

/** Below these a word is to be checked: by ear, or by sense. */
export interface Limits { unsure: number; unlikely: number }

/** Why a word is to be checked. */
export interface Doubt { unsure: boolean; unlikely: boolean }

export const doubt = (word: Word | undefined, limits: Limits): Doubt => ({ unsure: word?.[3] != null && word[3] < limits.unsure, unlikely: word?.[4] != null && word[4] < limits.unlikely });

/** Whether a word is to be checked, for whichever reason. */
export const doubtful = (word: Word | undefined, limits: Limits): boolean => { const { unsure, unlikely } = doubt(word, limits); return unsure || unlikely; };

/** A word that a person has heard and found right: it needs neither confidence nor fit. */
export const confirmed = (word: Word): Word => word[3] == null && word[4] == null ? word : timed(word[0], word[1], word[2]);

/** A stretch of one speaker. It never changes: an edit makes another one with another name. */
export interface Segment { readonly uid: string; readonly speaker: string | null; readonly start: number | null; readonly end: number | null; readonly words: readonly Word[] }

/** Segments that take the place of others, as the server has it; where none goes, `after` says behind which they come: null is the beginning, '' the beginning of a transcript that has nothing yet. */
export interface Change { replaces: string[]; with: Segment[]; after?: string | null }

/** Where a word stands. */
export interface Place { segment: number; word: number }

export const textOf = (segment: Segment): string => segment.words.map(w => w[0]).join(' ');

/** Longest word, letters, as the server has it. */
const longestWord = 200;

// U+0085 parts words for the server, but is none of JavaScript's spaces.
export const tokens = (text: string): string[] => text.split(/[\s\u0085]+/u).filter(Boolean);

/** The first word that is longer than the server takes. */
export const overlong = (text: string): string | undefined => tokens(text).find(word => word.length > longestWord);

/** The list after a change, or null where a segment that it speaks of is not there (any more). */
export function apply(segments: readonly Segment[], change: Change): Segment[] | null {
  const places = change.replaces.map(uid => segments.findIndex(s => s.uid === uid));
  const after = change.after ? segments.findIndex(s => s.uid === change.after) + 1 : 0;
  if (places.includes(-1) || (places.length === 0 && (change.after === '' ? segments.length > 0 : change.after && after === 0))) return null;
  const at = places.length > 0 ? Math.min(...places) : after;
  const gone = new Set(change.replaces), rest = segments.filter(s => !gone.has(s.uid));
  rest.splice(at, 0, ...change.with);
  return rest;
}

/** The list with changes of which the first may be in it already: it was stored, but the page was gone before it heard so. Those that come too late are left out. */
export function caughtUp(segments: readonly Segment[], changes: readonly Change[]): readonly Segment[] {
  return changes.reduce((list, change) => change.with.some(made => list.some(s => s.uid === made.uid)) ? list : apply(list, change) ?? list, segments);
}

/** What takes a change back: what came goes, and what went comes again under new names. */
export function inverse(before: readonly Segment[], change: Change, name: () => string): Change {
  const gone = goneBy(before, change);
  const back = { replaces: change.with.map(s => s.uid), with: gone.map(s => ({ ...s, uid: name() })) };
  if (back.replaces.length > 0 || gone.length === 0) return back;
  const at = before.indexOf(gone[0]!);
  return { ...back, after: at > 0 ? before[at - 1]!.uid : gone.length === before.length ? '' : null };
}

const goneBy = (before: readonly Segment[], change: Change): Segment[] => change.replaces.map(uid => before.find(s => s.uid === uid)!).sort((a, b) => before.indexOf(a) - before.indexOf(b));

/** Changes that were made, and the list that they lead to. */
export interface Made { changes: Change[]; segments: readonly Segment[] }

/**
 * What was done during a visit, to be taken back and done again, step by step. What goes comes back under a new name; steps before and after that spoke of the old one mean the new one. What somebody else has put in its
 * place is not meant: such a step is refused, and gone.
 */
export class Steps {
  private readonly past: Change[][] = [];
  private future: Change[][] = [];
  private readonly cameBackAs = new Map<string, string>();

  constructor(private readonly name: () => string) { }

  /** Null where a segment is not there (any more). */
  do(segments: readonly Segment[], changes: readonly Change[]): Made | null {
    const made = this.make(segments, changes, this.past);
    if (made) this.future = [];
    return made;
  }

  /** Undefined where there is nothing to be taken back. */
  undo(segments: readonly Segment[]): Made | null | undefined { return this.turn(segments, this.past, this.future); }

  /** Undefined where nothing was taken back. */
  redo(segments: readonly Segment[]): Made | null | undefined { return this.turn(segments, this.future, this.past); }

  private turn(segments: readonly Segment[], from: Change[][], to: Change[][]): Made | null | undefined {
    const step = from.pop();
    return step && this.make(segments, step, to);
  }

  private make(segments: readonly Segment[], changes: readonly Change[], back: Change[][]): Made | null {
    let list = segments;
    const made: Change[] = [], takesBack: Change[] = [], returns: [string, string][] = [];
    for (const said of changes) {
      const change = { ...said, replaces: said.replaces.map(uid => this.now(list, uid)), ...(said.after ? { after: this.now(list, said.after) } : {}) };
      const next = apply(list, change);
      if (!next) return null;
      const inverted = inverse(list, change, this.name);
      goneBy(list, change).forEach((s, i) => returns.push([s.uid, inverted.with[i]!.uid]));
      made.push(change);
      takesBack.unshift(inverted);
      list = next;
    }
    for (const [uid, again] of returns) this.cameBackAs.set(uid, again);
    if (made.length > 0) back.push(takesBack);
    return { changes: made, segments: list };
  }

  // Under which name a segment is there now.
  private now(segments: readonly Segment[], uid: string): string {
    for (let name: string | undefined = uid; name !== undefined; name = this.cameBackAs.get(name)) if (segments.some(s => s.uid === name)) return name;
    return uid;
  }
}

/**
 * What puts an edit that came too late in the place of what stands there now, and what of it finds no place. A change whose passages are all there still is made as it was, and what was put in comes where it is heard. Of
 * others, all that was written takes the place of all passages of which it covers at least half by time; where some of those are by the same speaker, of these alone, since two may speak at once.
 */
export function inPlace(segments: readonly Segment[], late: readonly Change[], name: () => string): { changes: Change[]; left: Change[] } {
  const changes: Change[] = [], left: Change[] = [], own = new Set<string>();
  let list = segments;
  for (const said of late) {
    const mine = said.with.map(s => ({ ...s, uid: name() })), start = mine[0]?.start ?? null, putIn = said.replaces.length === 0;
    const covered = list.filter(s => !own.has(s.uid) && covers(mine, s)), same = covered.filter(s => mine.some(m => m.speaker === s.speaker));
    const change: Change = putIn ? { replaces: [], with: mine, after: start === null ? null : list[segmentAt(list, start)]?.uid ?? null }
      : { replaces: said.replaces.every(uid => list.some(s => s.uid === uid)) ? said.replaces : (same.length > 0 ? same : covered).map(s => s.uid), with: mine };
    const next = (putIn ? start !== null : change.replaces.length > 0) ? apply(list, change) : null;
    if (!next) { left.push(said); continue; }
    list = next;
    mine.forEach(s => own.add(s.uid));
    changes.push(change);
  }
  return { changes, left };
}

function covers(mine: readonly Segment[], theirs: Segment): boolean {
  if (theirs.start === null || theirs.end === null) return false;
  const { start, end } = theirs, middle = (start + end) / 2;
  let upTo = start, sum = 0;
  for (const m of mine.filter(m => m.start !== null && m.end !== null).sort((a, b) => a.start! - b.start!)) {
    if (end === start && m.start! <= middle && middle <= m.end!) return true;
    const from = Math.max(upTo, m.start!), to = Math.min(end, m.end!);
    if (to > from) [sum, upTo] = [sum + to - from, to];
  }
  return end > start && sum >= (end - start) / 2;
}

/**
 * The words of a segment after its text was edited. Words that are still there keep times and confidence (the longest common run of both); where as many others stand in their place those take their times; other runs
 * share the room by their letters.
 */
export function rewritten(segment: Segment, text: string): Word[] {
  const old = segment.words, made = tokens(text);
  // What both have alike at their ends is taken off first: of a long passage hardly anything is left to be compared.
  let lead = 0, n = old.length, m = made.length;
  while (lead < n && lead < m && old[lead]![0] === made[lead]) lead++;
  while (n > lead && m > lead && old[n - 1]![0] === made[m - 1]) { n--; m--; }
  const trail = old.slice(n), common = Array.from({ length: n + 1 - lead }, () => new Uint16Array(m + 1 - lead));
  const alike = (i: number, j: number) => common[i - lead]![j - lead]!;
  for (let i = n - 1; i >= lead; i--) for (let j = m - 1; j >= lead; j--)
    common[i - lead]![j - lead] = old[i]![0] === made[j] ? alike(i + 1, j + 1) + 1 : Math.max(alike(i + 1, j), alike(i, j + 1));
  const words: Word[] = old.slice(0, lead);
  for (let i = lead, j = lead; i < n || j < m;) {
    if (i < n && j < m && old[i]![0] === made[j]) { words.push(old[i++]!); j++; continue; }
    let oldEnd = i, madeEnd = j;
    while ((oldEnd < n || madeEnd < m) && !(oldEnd < n && madeEnd < m && old[oldEnd]![0] === made[madeEnd]))
      if (madeEnd >= m || (oldEnd < n && alike(oldEnd + 1, madeEnd) >= alike(oldEnd, madeEnd + 1))) oldEnd++; else madeEnd++;
    words.push(...placed(made.slice(j, madeEnd), old.slice(i, oldEnd), words.at(-1)?.[2] ?? segment.start, old[oldEnd]?.[1] ?? segment.end));
    [i, j] = [oldEnd, madeEnd];
  }
  return [...words, ...trail];
}

function placed(made: readonly string[], old: readonly Word[], before: number | null, after: number | null): Word[] {
  if (made.length === old.length) return made.map((text, k) => timed(text, old[k]![1], old[k]![2]));
  const from = old[0]?.[1] ?? before, to = old.at(-1)?.[2] ?? after;
  if (from == null || to == null || to < from) return made.map(text => [text]);
  const letters = made.reduce((sum, text) => sum + text.length + 1, 0);
  let at = 0;
  return made.map(text => {
    const start = from + (to - from) * at / letters;
    at += text.length + 1;
    return timed(text, round(start), round(from + (to - from) * at / letters));
  });
}

const timed = (text: string, start: number | null | undefined, end: number | null | undefined): Word => start == null || end == null ? [text] : [text, start, end];

const round = (seconds: number): number => Math.round(seconds * 1000) / 1000;

/** Two segments of one, parted before a word; where its time is not known, by the letters. */
export function split(segment: Segment, word: number, name: () => string): Segment[] {
  const first = segment.words.slice(0, word), second = segment.words.slice(word);
  let at = second[0]?.[1] ?? first.at(-1)?.[2] ?? null;
  if (at === null && segment.start !== null && segment.end !== null) {
    const letters = (words: readonly Word[]) => words.reduce((sum, w) => sum + w[0].length + 1, 0);
    at = round(segment.start + (segment.end - segment.start) * letters(first) / Math.max(1, letters(segment.words)));
  }
  const border = segment.start === null || segment.end === null ? null : Math.min(segment.end, Math.max(segment.start, at!));
  const end = border === null ? null : Math.min(border, first.at(-1)?.[2] ?? border);
  return [{ ...segment, uid: name(), words: first, end: border === null ? segment.end : Math.max(segment.start!, end!) }, { ...segment, uid: name(), words: second, start: border ?? segment.start }];
}

/** One segment of two that follow each other; the first one's speaker. */
export function merged(a: Segment, b: Segment, name: () => string): Segment {
  return { uid: name(), speaker: a.speaker, start: a.start ?? b.start, end: a.end === null || b.end === null ? b.end ?? a.end : Math.max(a.end, b.end), words: [...a.words, ...b.words] };
}

/** The passages of one list that another one does not have as they are; names do not count, since what is gone back to comes under new ones. */
export function unlike(segments: readonly Segment[], others: readonly Segment[]): Segment[] {
  const said = (s: Segment) => JSON.stringify([s.speaker, s.start, s.end, textOf(s)]), known = new Set(others.map(said));
  return segments.filter(s => !known.has(said(s)));
}

/** What is looked for. */
export interface Sought { what: string; matchCase: boolean; wholeWords: boolean }

function pattern({ what, matchCase, wholeWords }: Sought): RegExp | null {
  const words = tokens(what).map(w => w.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join(' ');
  if (!words) return null;
  // "heart" is not found in "hearts", but in "heart,".
  const [left, right] = wholeWords ? ["(?<![\\p{L}\\p{N}'’])", "(?![\\p{L}\\p{N}'’])"] : ['', ''];
  return new RegExp(left + words + right, matchCase ? 'gu' : 'giu');
}

/** A place where a text is found: the word that it begins in, and its letters in the passage's text. */
export interface Hit extends Place { from: number; to: number }

/** Every place where a text is found, in order. */
export function hits(segments: readonly Segment[], sought: Sought): Hit[] {
  const sample = pattern(sought);
  if (!sample) return [];
  return segments.flatMap((s, segment) => {
    const text = textOf(s);
    return [...text.matchAll(sample)].map(m => ({ segment, word: (text.slice(0, m.index).match(/ /gu) ?? []).length, from: m.index, to: m.index + m[0].length }));
  });
}

/** The next place that was found, behind another or before it, and from the other end where there is none left. */
export function nextHit(found: readonly Hit[], from: Place | null, by: 1 | -1): Hit | null {
  const order = (hit: Place) => from === null ? by : hit.segment - from.segment || hit.word - from.word;
  return (by > 0 ? found.find(h => order(h) > 0) ?? found[0] : found.findLast(h => order(h) < 0) ?? found.at(-1)) ?? null;
}

/** Replaces a text in one place. */
export function replaceOne(segments: readonly Segment[], { segment, from, to }: Hit, by: string, name: () => string): Change[] {
  const s = segments[segment]!, text = textOf(s);
  return [{ replaces: [s.uid], with: [{ ...s, uid: name(), words: rewritten(s, text.slice(0, from) + tokens(by).join(' ') + text.slice(to)) }] }];
}

/** Replaces a text wherever it is found: a change for each segment that has it. */
export function replaceAll(segments: readonly Segment[], sought: Sought, by: string, name: () => string): Change[] {
  const sample = pattern(sought), text = tokens(by).join(' ');
  if (!sample) return [];
  return [...new Set(hits(segments, sought).map(h => h.segment))].map(segment => {
    const s = segments[segment]!;
    return { replaces: [s.uid], with: [{ ...s, uid: name(), words: rewritten(s, textOf(s).replace(sample, () => text)) }] };
  });
}

/** The segment at a moment, or the last one before it; −1 before the first. Segments without times are passed over. */
export function segmentAt(segments: readonly Segment[], seconds: number): number {
  let found = -1, low = 0, high = segments.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if ((segments[middle]!.start ?? 0) <= seconds) { found = middle; low = middle + 1; } else high = middle - 1;
  }
  return found;
}

/** The word of a segment that is said at a moment; −1 between words. */
export function wordAt(segment: Segment, seconds: number): number {
  return segment.words.findIndex(w => w[1] != null && w[2] != null && w[1] <= seconds && seconds < w[2]);
}

/** How many segments before the last one that has begun are looked at: two people who speak at once, or passages without a time, stand among them. */
const lookBack = 8;

/** The word that is said at a moment; where two speak at once, the one who began later. Null between words. */
export function spokenAt(segments: readonly Segment[], seconds: number): Place | null {
  const last = segmentAt(segments, seconds);
  for (let segment = last; segment >= Math.max(0, last - lookBack); segment--) {
    const word = wordAt(segments[segment]!, seconds);
    if (word >= 0) return { segment, word };
  }
  return null;
}

/** The next word that is to be checked, behind a place or before it; null where there is none. */
export function nextDoubt(segments: readonly Segment[], from: Place | null, by: 1 | -1, limits: Limits): Place | null {
  let { segment, word } = from ?? (by > 0 ? { segment: 0, word: -1 } : { segment: segments.length - 1, word: Infinity });
  for (; segment >= 0 && segment < segments.length; segment += by, word = by > 0 ? -1 : Infinity) {
    const words = segments[segment]!.words;
    for (let w = by > 0 ? word + 1 : Math.min(words.length, word) - 1; w >= 0 && w < words.length; w += by) if (doubtful(words[w], limits)) return { segment, word: w };
  }
  return null;
}

/** How many words there are, and how many are to be checked for which reason. */
export function count(segments: readonly Segment[], limits: Limits): { words: number; doubtful: number; unsure: number; unlikely: number } {
  const sum = { words: 0, doubtful: 0, unsure: 0, unlikely: 0 };
  for (const { words } of segments) {
    sum.words += words.length;
    for (const word of words) {
      const { unsure, unlikely } = doubt(word, limits);
      if (unsure || unlikely) sum.doubtful++;
      if (unsure) sum.unsure++;
      if (unlikely) sum.unlikely++;
    }
  }
  return sum;
}

/**
 * A segment that begins, or ends, at another moment, and its words with the times that lie within it. Null where it would end before it begins, or begin before the one before it or after the one behind it: segments stand in the order in
 * which they begin. One without times takes the other end from its neighbour.
 */
export function moved(segments: readonly Segment[], index: number, edge: 'start' | 'end', at: number): Pick<Segment, 'start' | 'end' | 'words'> | null {
  const segment = segments[index]!, before = segments.slice(0, index).findLast(s => s.start !== null), behind = segments.slice(index + 1).find(s => s.start !== null);
  const start = edge === 'start' ? round(at) : segment.start ?? before?.end ?? 0, end = edge === 'end' ? round(at) : segment.end ?? behind?.start ?? round(at + 1);
  if (end <= start || start < (before?.start ?? 0) || start > (behind?.start ?? Infinity)) return null;
  const within = (seconds: number) => Math.min(end, Math.max(start, seconds));
  return { start, end, words: segment.words.map(([text, from, to, ...rest]): Word => from == null || to == null ? [text, from, to, ...rest] : [text, within(from), within(to), ...rest]) };
}

/** An empty segment at a moment, up to the next one or at most so many seconds long, and where it belongs. */
export function inserted(segments: readonly Segment[], at: number, most: number, end: number, name: () => string): Change {
  const before = segmentAt(segments, at), next = segments.slice(before + 1).find(s => s.start !== null)?.start ?? end;
  const from = Math.min(end, round(at)), to = Math.max(from, Math.min(from + most, next, end));
  return { replaces: [], with: [{ uid: name(), speaker: null, start: from, end: round(to), words: [] }], after: before < 0 ? null : segments[before]!.uid };
}
