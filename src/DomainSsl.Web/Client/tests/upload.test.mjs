// A Mac's files must find themselves in a list that was made elsewhere: the same name is written in two ways.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const bundled = await build({ entryPoints: [fileURLToPath(new URL('../upload.ts', import.meta.url))], bundle: true, format: 'esm', write: false });
const { mount } = await import(`data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].text).toString('base64')}`);

const apart = 'Mu\u0308ller', whole = 'M\u00fcller';
const file = (name, ...parts) => Object.assign(new Blob(parts), { name });

/** Sends files as if they had been picked, and gives back what came to the server: name and bytes. */
async function sent(...files) {
  const came = [];
  let loaded;
  const end = new Promise(done => { loaded = done; });
  globalThis.window = { addEventListener() { } };
  globalThis.document = { body: { dataset: {} } };
  globalThis.history = { replaceState() { } };
  globalThis.location = { href: 'http://clinic/import', reload: loaded };
  globalThis.fetch = async (_, { method, headers, body } = {}) => {
    if (method === 'PUT') came.push([decodeURIComponent(headers['File-Name']), Buffer.from(await body.arrayBuffer())]);
    return new Response(JSON.stringify({ id: 'u' }));
  };
  const element = { addEventListener() { }, querySelectorAll: of => of.startsWith('input') ? [{ files, addEventListener() { } }] : [] };
  mount(element, { address: '/api/imports', token: 't', pieceBytes: 1000, atOnce: 1, collection: '', page: '/import' }, { invokeMethodAsync: async () => undefined });
  await end;
  return came;
}

test('names and lists are sent with whole letters, however the computer writes them', async () => {
  const came = await sent(file(`${apart}.wav`, 'sound'), file('list.CSV', `\ufefffile,speaker\n${apart}.wav,anna\n`), file(`${whole}2.wav`, 'sound'));
  assert.deepEqual(came.map(([name]) => name), [`${whole}.wav`, 'list.CSV', `${whole}2.wav`]);
  assert.equal(came[1][1].toString('utf8'), `\ufefffile,speaker\n${whole}.wav,anna\n`);
});

test('what is no text or has its letters whole is sent byte for byte', async () => {
  const latin = Buffer.from('file\nM\xfcller.wav\n', 'latin1'), scan = Buffer.from([...Buffer.from(apart), 0xff]);
  const came = await sent(file('latin.csv', latin), file('scan.dcm', scan), file('list.csv', 'file\na.wav\n'));
  assert.deepEqual(came.map(([, bytes]) => bytes), [latin, scan, Buffer.from('file\na.wav\n')]);
});
