// Starting a sound takes a while; who goes on meanwhile must hear the next one.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const bundled = await build({ entryPoints: [fileURLToPath(new URL('../hear.ts', import.meta.url))], bundle: true, format: 'esm', write: false });
const { mount } = await import(`data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].text).toString('base64')}`);

/** A page with so many places to be heard. Its sound starts when it is told to; one that is stopped before refuses, as browsers do. */
function page(places) {
  const starts = [], clicks = [];
  class Element {
    constructor(dataset) { this.dataset = dataset; this.pressed = 'false'; }
    closest(selector) { return (selector === '[data-hear]' ? 'hear' : 'hearStep') in this.dataset ? this : null; }
    setAttribute(_, value) { this.pressed = value; }
    focus() { document.activeElement = this; }
  }
  const buttons = Array.from({ length: places }, (_, i) => new Element({ hear: String(i), from: '0', to: '9' })), step = new Element({ hearStep: '1' });
  const sound = { src: '', currentTime: 0, addEventListener() { }, removeAttribute() { }, play: () => new Promise((start, refuse) => starts.push({ start, refuse })), pause() { for (const s of starts.splice(0)) s.refuse(new Error('interrupted')); } };
  Object.assign(globalThis, {
    Element, Audio: class { constructor() { return sound; } }, requestAnimationFrame: () => 1, cancelAnimationFrame() { },
    document: { activeElement: null, addEventListener: (_, act) => clicks.push(act), querySelectorAll: () => buttons },
  });
  const widget = mount(null);
  return { next: () => clicks[0]({ target: step }), press: i => clicks[0]({ target: buttons[i] }), heard: async () => { await new Promise(done => setTimeout(done, 1)); return buttons.map(b => b.pressed === 'true'); }, starts, widget };
}

test('who goes on twice quickly hears the second place', async () => {
  const p = page(3);
  p.next();
  p.next();
  assert.deepEqual(await p.heard(), [false, true, false]);
  p.starts[0].start();
  assert.deepEqual(await p.heard(), [false, true, false]);
});

test('a place that is left and taken up again before it sounded is heard', async () => {
  const p = page(1);
  for (let i = 0; i < 3; i++) p.press(0);
  assert.deepEqual(await p.heard(), [true]);
});

test('a sound that cannot be played is not shown as heard', async () => {
  const p = page(1);
  p.press(0);
  p.starts[0].refuse(new Error('no such sound'));
  assert.deepEqual(await p.heard(), [false]);
});
