// What waits in a browser is sent only by the page it was said on: every other page must say that it waits, and must not when nothing does.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const bundled = await build({ entryPoints: [fileURLToPath(new URL('../unsent.ts', import.meta.url))], bundle: true, format: 'esm', write: false });
const { unsent, watchUnsent } = await import(`data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].text).toString('base64')}`);

class Storage extends Map {
  get length() { return this.size; }
  key(i) { return [...this.keys()][i] ?? null; }
  getItem(name) { return this.get(name) ?? null; }
}

const now = 1_000_000;
const world = (entries, path = '/') => ({ storage: new Storage(entries.map(([name, age]) => [name, typeof age === 'number' ? JSON.stringify({ at: now - age }) : age])), now: () => now, path: () => path });

test('answers of labelling, review and transcripts lead to the pages that send them, the oldest first', () => {
  const all = world([['domainssl-transcript/anna/7/c', 20_000], ['domainssl-label/anna/5/a', 60_000], ['domainssl-label/anna/5/b', 15_000], ['domainssl-review/anna/5/d', 30_000]]);
  assert.deepEqual(unsent('anna', all), { answers: 4, pages: ['/tasks/5/label', '/review/5', '/transcripts/7'] });
});

test('what this page sends itself, what is just being sent, what is another person\'s and what is no answer is not told', () => {
  const some = world([['domainssl-label/anna/5/a', 60_000], ['domainssl-label/anna/6/b', 500], ['domainssl-label/ben/6/c', 60_000], ['domainssl-transcript-draft/anna/7/w', 60_000],
    ['domainssl-transcript-late/anna/7/w', 60_000], ['domainssl-label/anna/6/d', 'not json'], ['domainssl-window', 'w'], ['constructor/anna/6/e', 60_000]], '/tasks/5/label');
  assert.deepEqual(unsent('anna', some), { answers: 0, pages: [] });
});

test('the line says how many and where they are sent, is written once for as long as nothing changes, and goes once they are sent', () => {
  const line = { dataset: { person: 'anna' }, children: [], written: 0, replaceChildren(...children) { this.children = children; this.written++; } };
  const heard = {};
  globalThis.window = { addEventListener: (name, look) => { heard[name] = look; } };
  globalThis.document = { createElement: () => ({}) };
  const { setInterval } = globalThis;
  let tick;
  globalThis.setInterval = look => { tick = look; };
  try {
    const here = world([['domainssl-label/anna/5/a', 60_000], ['domainssl-label/anna/5/b', 60_000]]);
    watchUnsent(line, here);
    assert.deepEqual(line.children, ['2 answers of yours have not reached the server yet. ', { href: '/tasks/5/label', textContent: 'Send them now' }]);
    tick();
    assert.equal(line.written, 1);
    here.storage.delete('domainssl-label/anna/5/a');
    heard.storage();
    assert.deepEqual(line.children, ['1 answer of yours has not reached the server yet. ', { href: '/tasks/5/label', textContent: 'Send it now' }]);
    here.storage.clear();
    heard.storage();
    assert.deepEqual(line.children, []);
  } finally {
    globalThis.setInterval = setInterval;
  }
});
