// `node scripts/bundle.mjs [APP...]`: bundles what services start, for a quick start: apps/APP/dist/main.js and all that it imports
// become apps/APP/dist/bundle/main.js, which loads in a fifth of the time of a thousand files. Processes that load programs or
// converters are not bundled: these must find the same bricks and datasets as who loads them does.
import { join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './setup.mjs';

/** What is started of each app. */
const ENTRIES = {
  api: ['main'],
  'fuel-preproc': ['main', 'hdf5-check'],
  'worker-gpu': ['main', 'engine-check'],
};
/** They have files beside them that they look for: WebAssembly, native code. */
const WITH_FILES = [
  '@electric-sql/pglite',
  'h5wasm',
  'h5wasm/node',
  'msgpackr-extract',
  'onnxruntime-node',
  'pg-native',
];
/** Nest asks for them when it is told to use them, and does without. */
const OPTIONAL = /^@nestjs\/(microservices|websockets)|^@fastify\/static$|^class-(transformer|validator)/;

const named = process.argv.slice(2);
await Promise.all((named.length === 0 ? Object.keys(ENTRIES) : named).map(bundle));

async function bundle(app) {
  const compiled = join(root, 'apps', app, 'dist');
  const output = join(compiled, 'bundle');
  const bundled = await rolldown({
    input: Object.fromEntries(ENTRIES[app].map((name) => [name, join(compiled, `${name}.js`)])),
    platform: 'node',
    // jsonc-parser's other form finds its parts only at run time.
    resolve: { mainFields: ['module', 'main'] },
    external: (id) => WITH_FILES.includes(id) || OPTIONAL.test(id),
    plugins: [moduleUrls(output)],
  });
  await bundled.write({
    dir: output,
    cleanDir: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    // Nest injects and describes classes by their names.
    keepNames: true,
    // So that stacks name the files that were bundled.
    sourcemap: true,
    strictExecutionOrder: true,
  });
}

/** A module still finds what lies beside it: it is told the place that it was read from, as seen from the bundle. */
function moduleUrls(output) {
  return {
    name: 'module-urls',
    transform: {
      filter: { code: 'import.meta.url' },
      handler: (code, id) => {
        const place = encodeURI(relative(output, id).split('\\').join('/'));
        const ownUrl = `new URL(${JSON.stringify(place)}, import.meta.url).href`;
        // Lines stay where they were.
        return { code: code.replaceAll('import.meta.url', ownUrl), map: null };
      },
    },
  };
}
