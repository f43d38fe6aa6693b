// A page that lost its server must come back by itself, where it was, with the text that was in it: here with a server that goes away in every way it can.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const bundled = await build({ entryPoints: [fileURLToPath(new URL('../reconnect.ts', import.meta.url))], bundle: true, format: 'esm', write: false });
const { Reconnection } = await import(`data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].text).toString('base64')}`);

/** A page of the start "one". `starts` is what the server says it is, in turn (null: it is away), the last for ever; `fields` are its text fields. */
function page({ ready = true, starts, pages = [200], fields = [], kept }) {
  const classes = new Set(), stored = new Map(kept ? [['domainssl-drafts', JSON.stringify({ path: '/import', kept })]] : []);
  const seen = { reloads: 0, asked: [], classes, drafts: () => JSON.parse(stored.get('domainssl-drafts') ?? 'null')?.kept };
  const next = list => list.length > 1 ? list.shift() : list[0];
  globalThis.document = {
    addEventListener() { }, hidden: false, getElementById: () => ({}), querySelectorAll: () => fields.map(f => ({ ...f, dataset: { draft: f.name }, dispatchEvent() { } })),
    body: { dataset: { start: 'one', ...(ready ? { ready: 'true' } : {}) }, classList: { add: c => classes.add(c), remove: c => classes.delete(c) } },
  };
  globalThis.location = { pathname: '/import', href: 'http://clinic/import', reload() { seen.reloads++; } };
  globalThis.sessionStorage = { getItem: n => stored.get(n) ?? null, setItem: (n, v) => stored.set(n, v), removeItem: n => stored.delete(n) };
  globalThis.fetch = async url => {
    seen.asked.push(url);
    const answer = url === '/health' ? next(starts) : next(pages);
    if (answer === null) throw new TypeError('no connection');
    return url === '/health' ? new Response('ok', { headers: { 'Site-Start': answer } }) : new Response('', { status: answer });
  };
  return seen;
}

const until = async (done, words) => {
  for (let i = 0; i < 400 && !done(); i++) await new Promise(go => setTimeout(go, 10));
  assert.ok(done(), words);
};

test('a page whose server knows its circuit takes it up and is not loaded anew', async () => {
  const seen = page({ starts: [null, 'one'] }), tries = [];
  new Reconnection(async () => { tries.push(1); return true; }).down();
  assert.ok(seen.classes.has('connection-lost'));
  await until(() => !seen.classes.has('connection-lost'), 'it did not come back');
  assert.deepEqual([tries.length, seen.reloads], [1, 0]);
});

test('a page of another start is loaded anew, but only once the new one has it ready, and its text is kept', async () => {
  const seen = page({ starts: ['two'], pages: [null, 500, 200], fields: [{ name: 'collection', value: 'our scans' }] });
  new Reconnection(async () => assert.fail('the other start has no circuit of this page')).down();
  await until(() => seen.reloads > 0, 'it was not loaded anew');
  assert.equal(seen.asked.filter(url => url !== '/health').length, 3);
  assert.deepEqual(seen.drafts(), { collection: 'our scans' });
});

test('a page that is busy is left alone until it is not', async () => {
  const seen = page({ starts: ['two'] });
  document.body.dataset.busy = 'true';
  new Reconnection(async () => true).down();
  await new Promise(go => setTimeout(go, 300));
  assert.equal(seen.reloads, 0);
  delete document.body.dataset.busy;
  await until(() => seen.reloads > 0, 'it was not loaded anew');
});

test('a page that never had a circuit notices by itself that its server is gone, and keeps text that was to be put back', async () => {
  const seen = page({ ready: false, starts: [null, 'two'], fields: [{ name: 'collection', value: '' }], kept: { collection: 'our scans' } });
  const reconnection = new Reconnection(async () => assert.fail('there is no circuit to take up'));
  reconnection.restoreDrafts();
  void reconnection.watch();
  await until(() => seen.reloads > 0, 'it was not loaded anew');
  assert.deepEqual(seen.drafts(), { collection: 'our scans' });
});
