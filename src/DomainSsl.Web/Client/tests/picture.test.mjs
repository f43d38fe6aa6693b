import { test } from 'node:test';
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const bundled = await build({ entryPoints: [fileURLToPath(new URL('../picture.ts', import.meta.url))], bundle: true, format: 'esm', write: false });
const { greyTable, readHeader, placed, headerBytes } = await import(`data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].text).toString('base64')}`);

test('a window goes from black to white over its width, and turns over for MONOCHROME1', () => {
  const table = greyTable({ centre: 1000, width: 200 }, false);
  assert.deepEqual([table[0], table[899], table[1101], table[65535]], [0, 0, 255, 255]);
  assert.ok(Math.abs(table[1000] - 128) <= 1);
  const turned = greyTable({ centre: 1000, width: 200 }, true);
  assert.deepEqual([turned[0], turned[65535]], [255, 0]);
});

test('an image fills its stage in one direction, keeps its shape, and moves as it is moved', () => {
  assert.deepEqual(placed(100, 200, 1, 400, 400, { zoom: 1, x: 0, y: 0 }), { x: 100, y: 0, width: 200, height: 400 });
  assert.deepEqual(placed(100, 200, 1, 400, 400, { zoom: 2, x: 10, y: -5 }), { x: 10, y: -205, width: 400, height: 800 });
  assert.deepEqual(placed(100, 100, 2, 400, 400, { zoom: 1, x: 0, y: 0 }), { x: 0, y: 100, width: 400, height: 200 });
});

test('an image that did not arrive whole is refused', () => {
  const buffer = new ArrayBuffer(headerBytes + 2 * 6), view = new DataView(buffer);
  view.setUint32(0, 0x50535344, true);
  view.setUint32(4, 3, true);
  view.setUint32(8, 2, true);
  view.setUint32(12, 1, true);
  view.setFloat32(16, 5, true);
  view.setFloat32(20, 10, true);
  view.setFloat32(24, 1, true);
  assert.deepEqual(readHeader(buffer), { width: 3, height: 2, inverted: true, window: { centre: 5, width: 10 }, aspect: 1 });
  assert.throws(() => readHeader(buffer.slice(0, -2)), /whole/);
  assert.throws(() => readHeader(new ArrayBuffer(64)), /not an image/);
});
