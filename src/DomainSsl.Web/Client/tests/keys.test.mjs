// One key goes to one button, once: not to what a person writes, composes, or slides, and not a dozen times because it is held.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const bundled = await build({ entryPoints: [fileURLToPath(new URL('../keys.ts', import.meta.url))], bundle: true, format: 'esm', write: false });
const { mount } = await import(`data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].text).toString('base64')}`);

class Element { closest() { return null; } getAttribute() { return null; } }
class HTMLElement extends Element { matches() { return false; } }
class HTMLInputElement extends HTMLElement { constructor(type) { super(); this.type = type; } }
class Nothing { }

function page(...keys) {
  const clicked = [], acts = {};
  Object.assign(globalThis, {
    Element, HTMLElement, HTMLInputElement, HTMLTextAreaElement: Nothing, HTMLSelectElement: Nothing, CSS: { escape: text => text },
    document: { activeElement: null, addEventListener: (name, act) => { acts[name] = act; }, querySelector: selector => { const key = /data-key="(.*)"/.exec(selector)?.[1]; return key ? Object.assign(new HTMLElement(), { click: () => clicked.push(key) }) : null; } },
  });
  mount({ addEventListener() { }, dataset: {} }, { shortcuts: keys.map(key => ({ key, words: key })) }, null);
  const press = (key, more = {}) => {
    const event = { key, target: new HTMLElement(), keyCode: 0, ctrlKey: false, prevented: false, ...more, preventDefault() { this.prevented = true; } };
    acts.keydown(event);
    return event.prevented;
  };
  return { press, clicked };
}

test('a key that is held answers once; arrows and the pedal go on', () => {
  const { press, clicked } = page('Delete', 'm', 'ArrowDown', 'F9');
  for (const key of ['Delete', 'm', 'ArrowDown', 'F9']) for (const repeat of [false, true, true]) assert.ok(press(key, { repeat }), 'nor does the browser do anything else with it');
  assert.deepEqual(clicked, ['Delete', 'm', ...Array(3).fill('ArrowDown'), ...Array(3).fill('F9')]);
});

test('a slider keeps its arrows and leaves the letters', () => {
  const { press, clicked } = page('ArrowRight', 'n'), target = new HTMLInputElement('range');
  assert.equal(press('ArrowRight', { target }), false);
  press('n', { target });
  assert.deepEqual(clicked, ['n']);
});

test('a key of a composition is none of the page', () => {
  const { press, clicked } = page('Enter');
  press('Enter', { isComposing: true });
  press('Enter', { keyCode: 229 });
  assert.deepEqual(clicked, []);
});
