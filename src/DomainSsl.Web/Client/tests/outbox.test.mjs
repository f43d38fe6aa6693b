// The outbox is what keeps a label from being lost: tested against a server that fails in every way it can.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const bundled = await build({ entryPoints: [fileURLToPath(new URL('../outbox.ts', import.meta.url))], bundle: true, format: 'esm', write: false });
const { Outbox, pause } = await import(`data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].text).toString('base64')}`);

class Storage extends Map {
  get length() { return this.size; }
  key(i) { return [...this.keys()][i] ?? null; }
  getItem(name) { return this.get(name) ?? null; }
  setItem(name, value) { this.set(name, value); }
  removeItem(name) { this.delete(name); }
}

/** A server that answers as `answers` says, in turn, then always well. */
function world(storage, answers) {
  const sent = [], waited = [];
  let clock = 1000;
  return {
    storage, sent, waited, now: () => clock++, wait: async ms => { waited.push(ms); },
    fetch: async (url, init) => {
      const answer = answers.shift() ?? 200;
      sent.push({ key: JSON.parse(init.body).key, answer, token: init.headers.RequestVerificationToken, kept: init.keepalive });
      if (answer === 'none') throw new TypeError('no connection');
      if (answer === 'old') return new Response(JSON.stringify({ title: 'page-too-old', detail: 'Load it again.' }), { status: 400 });
      return new Response(JSON.stringify({ detail: 'No.' }), { status: answer });
    },
  };
}

const settled = async outbox => { for (let i = 0; i < 200 && outbox.waiting.length > 0; i++) await new Promise(done => setTimeout(done, 1)); await new Promise(done => setTimeout(done, 2)); };
const listener = () => { const heard = { standing: [], stored: [], refused: [] }; return { heard, standing: s => heard.standing.push(s), stored: e => heard.stored.push(e.key), refused: (e, s) => heard.refused.push([e.key, s]) }; };

test('answers arrive in order, each once, and are forgotten only when acknowledged', async () => {
  const storage = new Storage(), w = world(storage, ['none', 500, 200, 503]), outbox = new Outbox('anna/1', 'token', w), l = listener();
  outbox.listen(l);
  for (const key of ['a', 'b', 'c']) outbox.add('/answers', key, { key });
  assert.equal(storage.size, 3);
  await settled(outbox);
  assert.deepEqual(w.sent.map(s => s.key), ['a', 'a', 'a', 'b', 'b', 'c']);
  assert.deepEqual(l.heard.stored, ['a', 'b', 'c']);
  assert.equal(storage.size, 0);
  assert.ok(l.heard.standing.includes('notsaved'));
  assert.equal(l.heard.standing.at(-1), 'saved');
});

test('what waits outlasts another person signing in in the same browser', async () => {
  const storage = new Storage(), w = world(storage, ['old']), outbox = new Outbox('anna/1', 'token', w), l = listener();
  outbox.listen(l);
  outbox.add('/answers', 'a', { key: 'a' });
  await settled(outbox);
  assert.deepEqual([l.heard.refused, storage.size, l.heard.standing.at(-1)], [[], 1, 'signedout']);
  outbox.retry();
  await settled(outbox);
  assert.deepEqual(l.heard.stored, ['a']);
});

test('what was not acknowledged is sent by the next page, in the order in which it was said', async () => {
  const storage = new Storage(), first = world(storage, Array(50).fill('none'));
  first.wait = () => new Promise(() => { /* the window is closed while it waits */ });
  const closed = new Outbox('anna/1', 't', first);
  for (const key of ['z', 'y', 'x']) closed.add('/answers', key, { key });
  storage.setItem('ben/1/q', JSON.stringify({ key: 'q', at: 1, url: '/answers', body: { key: 'q' } }));
  const w = world(storage, []), reopened = new Outbox('anna/1', 't', w);
  assert.deepEqual(reopened.waiting.map(e => e.key), ['z', 'y', 'x']);
  reopened.listen(listener());
  await settled(reopened);
  assert.deepEqual(w.sent.map(s => s.key), ['z', 'y', 'x']);
  assert.deepEqual([...storage.keys()], ['ben/1/q'], "another person's answers are not touched");
});

test('a refused answer is told and does not stop those behind it', async () => {
  const w = world(new Storage(), [400]), outbox = new Outbox('anna/1', 't', w), l = listener();
  outbox.listen(l);
  outbox.add('/answers', 'a', { key: 'a' });
  outbox.add('/answers', 'b', { key: 'b' });
  await settled(outbox);
  assert.deepEqual(l.heard.refused, [['a', 'No.']]);
  assert.deepEqual(l.heard.stored, ['b']);
});

test('signed out: answers are kept, and sent once the person is back', async () => {
  const w = world(new Storage(), [401]), outbox = new Outbox('anna/1', 'old', w), l = listener();
  outbox.listen(l);
  outbox.add('/answers', 'a', { key: 'a' });
  await new Promise(done => setTimeout(done, 5));
  assert.equal(l.heard.standing.at(-1), 'signedout');
  assert.equal(outbox.waiting.length, 1);
  outbox.token = 'new';
  outbox.retry();
  await settled(outbox);
  assert.deepEqual(w.sent.map(s => s.token), ['old', 'new']);
});

test('what is too long for a closing window is sent without that promise, since browsers refuse it with one', async () => {
  const w = world(new Storage(), []), outbox = new Outbox('anna/1', 't', w);
  outbox.listen(listener());
  outbox.add('/answers', 'short', { key: 'short' });
  outbox.add('/answers', 'long', { key: 'long', text: 'x'.repeat(70_000) });
  await settled(outbox);
  assert.deepEqual(w.sent.map(s => [s.key, s.kept]), [['short', true], ['long', false]]);
});

test('pauses grow to two seconds and no further', () => assert.deepEqual([1, 2, 3, 4, 99].map(pause), [300, 700, 1200, 2000, 2000]));
