// A sentence that is being written is lost with its window or taken by another one, unless somebody knows which windows live.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const bundled = await build({ entryPoints: [fileURLToPath(new URL('../draft.ts', import.meta.url))], bundle: true, format: 'esm', write: false });
const { Drafts } = await import(`data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].text).toString('base64')}`);

class Storage extends Map {
  get length() { return this.size; }
  key(i) { return [...this.keys()][i] ?? null; }
  getItem(name) { return this.get(name) ?? null; }
  setItem(name, value) { this.set(name, value); }
  removeItem(name) { this.delete(name); }
}

function windows() {
  const storage = new Storage(), clock = { now: 1e6, hidden: false };
  return { storage, clock, open: (window, place = 'anna/1') => new Drafts(place, window, { storage, now: () => clock.now, hidden: () => clock.hidden }) };
}
const half = { passage: { uid: 'p', speaker: 'A', start: 1, end: 2 }, text: 'half a sent' };

test('a window takes up its own draft at once after a reload, and once only', () => {
  const { storage, open } = windows();
  open('w').keep(half);
  assert.deepEqual(open('w').takeUp(), [half]);
  assert.equal(storage.size, 0);
});

test('a sentence that is still being written in another window is left there, for as long as that gives signs of life', () => {
  const { clock, open } = windows(), writing = open('one'), other = open('two');
  writing.keep(half);
  for (let i = 0; i < 20; i++) { clock.now += 3000; writing.live(); assert.deepEqual(other.takeUp(), []); }
  assert.deepEqual(writing.takeUp(), [], 'nor does it take its own from under its hands');
  clock.now += 10_001;
  assert.deepEqual(other.takeUp(), [half]);
});

test('a window out of sight, whose clocks may stand, is waited for longer', () => {
  const { clock, open } = windows();
  open('one').keep(half);
  clock.hidden = true;
  const hidden = open('three');
  hidden.keep({ ...half, text: 'hidden' });
  clock.now += 60_000;
  assert.deepEqual(open('two').takeUp(), [half]);
  clock.now += 31_000;
  assert.deepEqual(open('two').takeUp().map(d => d.text), ['hidden']);
});

test('a window that closes leaves its draft to whoever comes next; what was sent is none', () => {
  const { open } = windows(), closing = open('one'), sent = open('three'), elsewhere = open('four', 'anna/12');
  closing.keep(half);
  sent.keep(half);
  elsewhere.keep(half);
  closing.leave();
  sent.forget();
  assert.deepEqual(open('two').takeUp(), [half]);
  assert.deepEqual(open('two').takeUp(), []);
});

test('what is damaged is thrown away', () => {
  const { storage, open } = windows();
  storage.setItem('anna/1/x', '{');
  assert.deepEqual(open('two').takeUp(), []);
  assert.equal(storage.size, 0);
});
