// Bundles each module of this folder into wwwroot/client. Widgets are ES modules that pages import when they need them; scheme.ts and shell.ts are plain scripts.
import { build } from 'esbuild';
import { readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, '..', 'wwwroot', 'client');
const common = { absWorkingDir: here, outdir: out, bundle: true, minify: true, target: 'es2022', logLevel: 'warning', legalComments: 'linked', loader: { '.woff2': 'file', '.wasm': 'file' } };

// Cornerstone starts its workers and finds its decoders by new URL('…', import.meta.url), which esbuild leaves alone: decoders become files of the bundle, workers
// are entry points of their own, under the same name in the same flat folder.
const cornerstone = {
  name: 'cornerstone',
  setup(b) {
    b.onLoad({ filter: /cornerstonejs[\\/].*\.js$/ }, async args => {
      const source = await readFile(args.path, 'utf8');
      if (!source.includes('import.meta.url')) return null;
      const imports = [];
      const contents = source.replace(/new URL\(\s*'([^']+)'\s*,\s*import\.meta\.url\s*\)/g, (_, file) => {
        if (file.endsWith('.js')) return `new URL('./${file.split('/').pop()}', import.meta.url)`;
        const name = `__file${imports.length}`;
        imports.push(`import ${name} from '${file}';`);
        return `new URL(${name}, import.meta.url)`;
      });
      return { contents: imports.join('') + contents, loader: 'js' };
    });
    // The decoders were compiled for Node too; its modules are never reached in a browser.
    b.onResolve({ filter: /^(fs|path|crypto|worker_threads|perf_hooks|util|os|url)$/ }, args => ({ path: args.path, namespace: 'none' }));
    b.onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'module.exports = {}' }));
  },
};

await rm(out, { recursive: true, force: true });
await build({ ...common, entryPoints: ['scheme.ts', 'shell.ts'], format: 'iife' });
await build({ ...common, entryPoints: ['shell.css'] });
await build({ ...common, entryPoints: ['keys.ts', 'chart.ts', 'upload.ts', 'waveform.ts', 'transcript.ts', 'label.ts', 'review.ts', 'language.ts', 'hear.ts'].filter(f => existsSync(join(here, f))), format: 'esm', splitting: true });
if (existsSync(join(here, 'viewer.ts')))
  await build({
    ...common,
    entryPoints: [
      { in: 'viewer.ts', out: 'viewer' },
      { in: 'node_modules/@cornerstonejs/dicom-image-loader/dist/esm/decodeImageFrameWorker.js', out: 'decodeImageFrameWorker' },
      { in: 'node_modules/@cornerstonejs/tools/dist/esm/workers/computeWorker.js', out: 'computeWorker' },
    ],
    format: 'esm', splitting: true, chunkNames: 'viewer-[hash]', plugins: [cornerstone],
  });
