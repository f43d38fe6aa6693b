import { test } from 'node:test';
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const load = async file => {
  const bundled = await build({ entryPoints: [fileURLToPath(new URL(`../${file}`, import.meta.url))], bundle: true, format: 'esm', write: false });
  return import(`data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].text).toString('base64')}`);
};
const m = await load('transcript-model.ts');
const { readOutline } = await load('outline.ts');
const { firstAfter } = await load('spectrogram.ts');

let names = 0;
const name = () => `n${++names}`;
const segment = (uid, words, start = words[0]?.[1] ?? null, end = words.at(-1)?.[2] ?? null) => ({ uid, speaker: null, start, end, words });
const heart = segment('h', [['the', 1, 1.2, 0.9], ['hart', 1.2, 1.6, 0.3], ['is', 1.6, 1.7, 0.8], ['normal', 1.7, 2.2, 0.95]]);

test('an edited word takes the time of the one before it and loses its confidence; the others keep both', () => {
  assert.deepEqual(m.rewritten(heart, 'the heart is normal'), [['the', 1, 1.2, 0.9], ['heart', 1.2, 1.6], ['is', 1.6, 1.7, 0.8], ['normal', 1.7, 2.2, 0.95]]);
});

test('words that are put in share the room, and those that are taken out leave it', () => {
  const words = m.rewritten(heart, 'the size of the heart is normal');
  assert.deepEqual(words.map(w => w[0]), ['the', 'size', 'of', 'the', 'heart', 'is', 'normal']);
  assert.deepEqual(words.at(-1), ['normal', 1.7, 2.2, 0.95]);
  for (let i = 1; i < words.length; i++) assert.ok(words[i][1] >= words[i - 1][2] - 1e-9 && words[i][2] >= words[i][1], JSON.stringify(words));
  assert.deepEqual(m.rewritten(heart, 'the hart'), [['the', 1, 1.2, 0.9], ['hart', 1.2, 1.6, 0.3]]);
  assert.deepEqual(m.rewritten(heart, '  '), []);
  assert.deepEqual(m.rewritten(segment('e', [], 2, 4), 'one two'), [['one', 2, 3], ['two', 3, 4]]);
});

test('random edits keep what is typed, times in order and within the segment', () => {
  let seed = 5;
  const random = n => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: random(9) }, () => 'abcde'[random(5)]).join(' ');
    const old = segment('r', Array.from({ length: random(9) }, (_, i) => ['abcde'[random(5)], i, i + 0.5, 0.5]), 0, 10);
    const words = m.rewritten(old, text);
    assert.equal(words.map(w => w[0]).join(' '), text);
    let at = 0;
    for (const w of words) if (w[1] != null) { assert.ok(w[1] >= at - 1e-9 && w[2] >= w[1] && w[2] <= 10, JSON.stringify({ old: old.words, words })); at = w[1]; }
  }
});

test('a segment that is split and merged again has the same words and times', () => {
  const [a, b] = m.split(heart, 2, name);
  assert.deepEqual([m.textOf(a), m.textOf(b), a.start, a.end, b.start, b.end], ['the hart', 'is normal', 1, 1.6, 1.6, 2.2]);
  const whole = m.merged(a, b, name);
  assert.deepEqual({ ...whole, uid: 'h' }, heart);
  const [c, d] = m.split(segment('u', [['one'], ['two']], 0, 8), 1, name);
  assert.deepEqual([c.end, d.start], [4, 4]);
});

test('every change can be taken back, and one that comes too late changes nothing', () => {
  const list = [segment('a', [['x']]), heart, segment('b', [['y']])];
  const changes = [
    { replaces: ['h'], with: m.split(heart, 2, name) }, { replaces: ['h', 'b'], with: [m.merged(heart, list[2], name)] }, { replaces: ['a'], with: [] }, { replaces: ['h'], with: [] },
    { replaces: [], with: [segment('new', [['z']])], after: 'a' }, { replaces: [], with: [segment('new', [['z']])], after: null },
  ];
  for (const change of changes) {
    const after = m.apply(list, change), back = m.apply(after, m.inverse(list, change, name));
    assert.deepEqual(back.map(m.textOf), list.map(m.textOf));
  }
  assert.equal(m.apply(list, { replaces: ['gone'], with: [] }), null);
  assert.equal(m.apply(list, { replaces: [], with: [], after: 'gone' }), null);
});

/** A list that steps are taken on, and what was sent of them. */
const visit = (...segments) => {
  const steps = new m.Steps(name), v = { list: segments, sent: [], texts: () => v.list.map(m.textOf) };
  for (const deed of ['do', 'undo', 'redo'])
    v[deed] = changes => {
      const made = deed === 'do' ? steps.do(v.list, changes) : steps[deed](v.list);
      if (made) { v.list = made.segments; v.sent.push(...made.changes); }
      return made;
    };
  v.write = text => { const old = v.list[0]; v.do([{ replaces: [old.uid], with: [{ ...old, uid: name(), words: m.rewritten(old, text) }] }]); };
  return v;
};

test('several edits of one passage are taken back and done again one by one, and the server can follow', () => {
  const first = segment('u1', [['one', 0, 1]]), v = visit(first, heart);
  v.write('two');
  v.write('three');
  v.write('four');
  const seen = [];
  for (const deed of ['undo', 'undo', 'undo', 'redo', 'redo', 'undo', 'redo', 'redo', 'undo', 'undo']) { assert.ok(v[deed](), deed); seen.push(v.texts()[0]); }
  assert.deepEqual(seen, ['three', 'two', 'one', 'two', 'three', 'two', 'three', 'four', 'three', 'two']);
  assert.deepEqual(v.sent.reduce((list, change) => { const next = m.apply(list, change); assert.ok(next); return next; }, [first, heart]), v.list);
  assert.ok(v.undo());
  assert.deepEqual([v.undo(), v.texts()[0]], [undefined, 'one']);
});

test('a passage that was taken out comes back behind the one before, though that was changed and changed back', () => {
  const v = visit(segment('a', [['x', 0, 1]]), heart, segment('b', [['y', 3, 4]]));
  v.write('changed');
  v.do([{ replaces: ['h'], with: [] }]);
  v.undo();
  v.undo();
  v.redo();
  v.redo();
  assert.deepEqual(v.texts(), ['changed', 'y']);
  v.undo();
  v.undo();
  assert.deepEqual(v.texts(), ['x', 'the hart is normal', 'y']);
});

test('what somebody else has put in the place of a passage is never taken back', () => {
  const v = visit(segment('u1', [['one', 0, 1]]));
  v.write('two');
  v.write('three');
  v.undo();
  v.list = [segment('theirs', [['theirs', 0, 1]])];
  assert.deepEqual([v.undo(), v.redo(), v.texts()], [null, null, ['theirs']]);
});

test('to begin to write is for a transcript that has nothing yet, also when it is done again', () => {
  const begun = { replaces: [], with: [segment('n', [])], after: '' };
  assert.equal(m.apply([heart], begun), null);
  const v = visit();
  v.do([begun]);
  v.undo();
  assert.deepEqual(v.list, []);
  v.list = [segment('theirs', [['theirs', 0, 1]])];
  assert.equal(v.redo(), null);
});

test('an edit that was stored unheard is not made twice when the page is opened again', () => {
  const change = { replaces: [], with: [segment('new', [['z']])], after: 'h' };
  assert.deepEqual(m.caughtUp([heart], [change]).map(s => s.uid), ['h', 'new']);
  assert.deepEqual(m.caughtUp([heart, segment('new', [['z']])], [change, { replaces: ['gone'], with: [] }]).map(s => s.uid), ['h', 'new']);
});

test('an edit that came too late takes the place of what covers the same time, whole for whole', () => {
  const late = with_ => [{ replaces: ['gone'], with: with_ }], put = (list, edit) => { const { changes, left } = m.inPlace(list, edit, name); return [changes.reduce(m.apply, list).map(m.textOf), left.length]; };
  const mine = { ...segment('m', [['mine', 1, 3]]), start: 1, end: 3, speaker: 'A' }, after = segment('z', [['tail', 5, 6]]);
  const theirs = (uid, text, start, end, speaker = 'A') => ({ uid, speaker, start, end, words: [[text]] });
  assert.deepEqual(put([theirs('1', 'split', 1, 2), theirs('2', 'there', 2, 3), after], late([mine])), [['mine', 'tail'], 0]);
  assert.deepEqual(put([theirs('1', 'whole', 1, 3), after], late([{ ...mine, end: 2, words: [['one']] }, { ...mine, start: 2, words: [['two']] }])), [['one', 'two', 'tail'], 0]);
  assert.deepEqual(put([theirs('1', 'changed', 1, 3), theirs('2', 'meanwhile', 1, 3, 'B')], late([mine])), [['mine', 'meanwhile'], 0]);
  assert.deepEqual(put([theirs('1', 'merged', 1, 9), after], late([mine])), [['merged', 'tail'], 1]);
  assert.deepEqual(put([theirs('1', 'same', 1, 3)], late([{ ...mine, start: null, end: null }])), [['same'], 1]);
  // Of many changes only one came too late: the others are as they were, and nothing is put in twice.
  assert.deepEqual(put([theirs('1', 'changed', 1, 3), after], [...late([mine]), { replaces: ['z'], with: [segment('z2', [['end', 5, 6]])] }, ...late([mine])]), [['mine', 'end'], 1]);
  assert.deepEqual(put([theirs('1', 'changed', 1, 3), after], [{ replaces: [], with: [segment('i', [['put in', 4, 5]])], after: 'gone' }]), [['changed', 'put in', 'tail'], 0]);
});

test('an earlier version is seen by the passages that are other there', () => {
  const other = { ...heart, uid: 'again', speaker: 'Doctor' };
  assert.deepEqual(m.unlike([{ ...heart, uid: 'again' }, segment('x', [['x', 5, 6]])], [heart]).map(s => s.uid), ['x']);
  assert.deepEqual(m.unlike([other], [heart]), [other]);
});

test('passages that overlap are merged up to the later end', () => {
  const a = { ...segment('a', [['long']]), start: 0, end: 9 }, b = { ...segment('b', [['short']]), start: 2, end: 4 };
  assert.deepEqual([m.merged(a, b, name).end, m.merged(b, a, name).end, m.merged(a, { ...b, end: null }, name).end], [9, 9, 9]);
});

test('words are parted where the server parts them, and one that it would refuse is found', () => {
  assert.deepEqual(m.tokens('one\u0085two\u00a0three\u3000four\nfive'), ['one', 'two', 'three', 'four', 'five']);
  assert.equal(m.overlong(`short ${'x'.repeat(200)}`), undefined);
  assert.equal(m.overlong(`short ${'x'.repeat(201)} more`), 'x'.repeat(201));
});

test('find and replace respects words and case, and leaves all other words as they were', () => {
  const list = [segment('a', [['Heart,', 0, 1, 0.5], ['hearts', 1, 2, 0.5], ['heart.', 2, 3, 0.5], ['heart', 3, 4, 0.5], ['rate', 4, 5, 0.5]])];
  const whole = { what: 'heart', matchCase: false, wholeWords: true };
  assert.deepEqual(m.hits(list, whole).map(h => [h.segment, h.word]), [[0, 0], [0, 2], [0, 3]]);
  assert.equal(m.hits(list, { ...whole, matchCase: true }).length, 2);
  assert.equal(m.hits(list, { ...whole, wholeWords: false }).length, 4);
  const [change] = m.replaceAll(list, whole, 'cor $& pulmonale', name);
  assert.equal(m.textOf(change.with[0]), 'cor $& pulmonale, hearts cor $& pulmonale. cor $& pulmonale rate');
  assert.deepEqual(change.with[0].words.at(-1), ['rate', 4, 5, 0.5]);
  assert.deepEqual(m.hits(list, { ...whole, what: 'heart rate' }), [{ segment: 0, word: 3, from: 21, to: 31 }]);
  assert.deepEqual(m.hits(list, { ...whole, what: '( [' }), []);
});

test('one goes from hit to hit, back too, round at the ends, and replaces the one where one is', () => {
  const list = [segment('a', [['heart', 0, 1], ['and', 1, 2], ['heart', 2, 3]]), segment('b', [['none', 3, 4]]), segment('c', [['heart', 4, 5]])];
  const found = m.hits(list, { what: 'heart', matchCase: false, wholeWords: true }), at = h => [h.segment, h.word];
  assert.deepEqual(at(m.nextHit(found, null, 1)), [0, 0]);
  assert.deepEqual(at(m.nextHit(found, { segment: 0, word: 0 }, 1)), [0, 2]);
  assert.deepEqual(at(m.nextHit(found, { segment: 1, word: 0 }, 1)), [2, 0]);
  assert.deepEqual(at(m.nextHit(found, { segment: 2, word: 0 }, 1)), [0, 0]);
  assert.deepEqual(at(m.nextHit(found, { segment: 1, word: 0 }, -1)), [0, 2]);
  assert.deepEqual(at(m.nextHit(found, { segment: 0, word: 0 }, -1)), [2, 0]);
  assert.equal(m.nextHit([], null, 1), null);
  const [change] = m.replaceOne(list, found[1], 'lung', name);
  assert.equal(m.textOf(change.with[0]), 'heart and lung');
});

test('a passage begins or ends where one says, its words with it, and stays in order', () => {
  const list = [segment('a', [['one', 0, 1, 0.9], ['two', 1, 2]], 0, 2), segment('b', [['three', 3, 4]], 3, 4), segment('c', [['four', 6, 7]], 6, 7)];
  assert.deepEqual(m.moved(list, 0, 'end', 1.5), { start: 0, end: 1.5, words: [['one', 0, 1, 0.9], ['two', 1, 1.5]] });
  assert.deepEqual(m.moved(list, 1, 'start', 2.5), { start: 2.5, end: 4, words: [['three', 3, 4]] });
  assert.deepEqual(m.moved(list, 1, 'end', 9).end, 9);             // two may speak at once
  assert.equal(m.moved(list, 1, 'end', 3), null);
  assert.equal(m.moved(list, 1, 'start', 6.5), null);
  assert.deepEqual(m.moved([segment('z', [['none', null, null]], null, null)], 0, 'start', 1), { start: 1, end: 2, words: [['none', null, null]] });
});

test('the word at a moment and the next one that is not sure are found', () => {
  const list = [heart, segment('z', [['tail', 5, 6, 0.2]])];
  assert.deepEqual([m.segmentAt(list, 0), m.segmentAt(list, 1.5), m.segmentAt(list, 4), m.segmentAt(list, 5)], [-1, 0, 0, 1]);
  assert.deepEqual([m.wordAt(heart, 1.3), m.wordAt(heart, 9)], [1, -1]);
  const limits = { unsure: 0.6, unlikely: 0.05 };
  assert.deepEqual(m.nextDoubt(list, null, 1, limits), { segment: 0, word: 1 });
  assert.deepEqual(m.nextDoubt(list, { segment: 0, word: 1 }, 1, limits), { segment: 1, word: 0 });
  assert.equal(m.nextDoubt(list, { segment: 1, word: 0 }, 1, limits), null);
  assert.deepEqual(m.nextDoubt(list, { segment: 1, word: 0 }, -1, limits), { segment: 0, word: 1 });
  assert.deepEqual(m.count(list, limits), { words: 5, doubtful: 2, unsure: 2, unlikely: 0 });
});

test('a word that does not fit is to be checked as well, for its own reason, until a person says that it is right', () => {
  const limits = { unsure: 0.6, unlikely: 0.05 }, list = [segment('a', [['one', 0, 1, 0.9, 0.5], ['odd', 1, 2, 0.9, 0.01], ['both', 2, 3, 0.2, 0.02]])];
  assert.deepEqual(m.nextDoubt(list, null, 1, limits), { segment: 0, word: 1 });
  assert.deepEqual(list[0].words.map(w => m.doubt(w, limits)), [{ unsure: false, unlikely: false }, { unsure: false, unlikely: true }, { unsure: true, unlikely: true }]);
  assert.deepEqual(m.count(list, limits), { words: 3, doubtful: 2, unsure: 1, unlikely: 2 });
  assert.deepEqual(list[0].words.map(m.confirmed), [['one', 0, 1], ['odd', 1, 2], ['both', 2, 3]]);
  const own = ['own', 0, 1];
  assert.equal(m.confirmed(own), own);
});

test('of two who speak at once the later one is shown, and the other goes on when that one is silent', () => {
  const list = [segment('long', [['a', 0, 2], ['b', 2, 9]]), { uid: 'none', speaker: null, start: null, end: null, words: [] }, segment('short', [['x', 3, 4]]), segment('last', [['z', 20, 21]])];
  const at = seconds => m.spokenAt(list, seconds);
  assert.deepEqual([at(1), at(3.5), at(5), at(20.5)], [{ segment: 0, word: 0 }, { segment: 2, word: 0 }, { segment: 0, word: 1 }, { segment: 3, word: 0 }]);
  assert.deepEqual([at(12), at(30)], [null, null]);
});

test('a passage that is put in stands where it is heard and ends before the next', () => {
  const list = [segment('a', [['x', 1, 2]]), segment('b', [['y', 6, 7]])];
  const after = m.apply(list, m.inserted(list, 3.5, 5, 60, name));
  assert.deepEqual(after.map(s => [s.start, s.end]), [[1, 2], [3.5, 6], [6, 7]]);
  assert.deepEqual(m.apply(list, m.inserted(list, 0.2, 5, 60, name)).map(s => s.start), [0.2, 1, 6]);
  assert.deepEqual(m.inserted([], 58, 5, 60, name).with[0].end, 60);
});

test('an outline of two speakers and one of an older version are read', () => {
  const base64 = bytes => Buffer.from(Int8Array.from(bytes).buffer).toString('base64');
  const two = readOutline({ seconds: 2, perSecond: 1, scale: 0.5, channels: [base64([-127, 10, 0, 0]), base64([-1, 127, -64, 32])] });
  assert.ok(two.apart);
  assert.deepEqual(two.peaks.map(p => Array.from(p, x => Math.round(100 * x))), [[50, 0], [50, 25]]);
  const one = readOutline({ seconds: 1, perSecond: 2, scale: 1.27, channels: [base64([-100, 50, -20, 10])] });
  assert.deepEqual(one.peaks.map(p => Array.from(p, x => Math.round(100 * x))), [[50, 10], [-100, -20]]);
  assert.deepEqual(Array.from(readOutline({ seconds: 1, perSecond: 1, max: [0.5], min: [-0.5] }).peaks[0]), [0.5]);
});

test('of speech on two channels the first that is still to be heard is found', () => {
  const speech = [{ start: 0, end: 14, channel: 0 }, { start: 1, end: 2, channel: 1 }, { start: 16, end: 18, channel: 1 }];
  assert.deepEqual([firstAfter(speech, 0), firstAfter(speech, 15), firstAfter(speech, 30)], [0, 2, 3]);
  assert.ok(firstAfter(speech, 10) === 0);
});
