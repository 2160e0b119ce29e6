// `node scripts/bundle.mjs [PROJECT...]`: bundles what is started, for a quick start. Of an app these are the services and the command line: apps/APP/dist/main.js and
// all that it imports become apps/APP/dist/bundle/main.js, which loads in a fifth of the time of a thousand files. Processes that load programs or
// converters are not bundled, nor is what trains in the command line: programs must find the same bricks and datasets as who loads them does. What they share are the libs, of which each
// is bundled by itself: libs/LIB/dist/bundle has a file for each of its exports, and one of what these share.
import { readFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './setup.mjs';

/** What is started of each app. */
const ENTRIES = {
  api: ['main'],
  cli: ['main'],
  'fuel-preproc': ['main', 'hdf5-check'],
  'worker-gpu': ['main', 'engine-check'],
};
/** They have files beside them that they look for: WebAssembly, native code. */
const WITH_FILES = [
  '@electric-sql/pglite',
  'esbuild',
  'h5wasm',
  'h5wasm/node',
  'msgpackr-extract',
  'node-sqlite3-wasm',
  'onnxruntime-node',
  'pg-native',
  'sharp',
];
/** `longrun run` loads programs itself: the bricks and datasets that it knows are to be those of the programs. */
const TRAINING = /apps\/cli\/dist\/commands\/run\//;
const SCIENCE = /^@longrun\/(blocks|fuel|serialization|tensor)(\/|$)/;
/** Nest asks for them when it is told to use them, and does without. */
const OPTIONAL = /^@nestjs\/(microservices|websockets)|^@fastify\/static$|^class-(transformer|validator)/;

const LIBS = ['contracts', 'client', 'serialization', 'tensor', 'fuel', 'blocks', 'platform'];

/** Of each lib the files that its exports are made of, and the names of their bundles. */
const exported = new Map(LIBS.map((lib) => [lib, exportsOf(lib)]));
const named = process.argv.slice(2);
await Promise.all(
  (named.length === 0 ? [...LIBS, ...Object.keys(ENTRIES)] : named).map((name) =>
    LIBS.includes(name) ? bundleLib(name) : bundleApp(name),
  ),
);

async function bundleApp(app) {
  const compiled = join(root, 'apps', app, 'dist');
  await bundle(compiled, {
    input: Object.fromEntries(ENTRIES[app].map((name) => [name, join(compiled, `${name}.js`)])),
    // jsonc-parser's other form finds its parts only at run time.
    resolve: { mainFields: ['module', 'main'] },
    external: (id) => WITH_FILES.includes(id) || OPTIONAL.test(id),
    plugins: [filesOfLibs()],
  });
}

async function bundleLib(lib) {
  await bundle(join(root, 'libs', lib, 'dist'), {
    input: Object.fromEntries(exported.get(lib).map(({ name, file }) => [name, file])),
    external: (id) => !id.startsWith('.') && !isAbsolute(id),
    plugins: [],
  });
}

function exportsOf(lib) {
  const folder = join(root, 'libs', lib);
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return Object.entries(exports).map(([path, conditions]) => ({
    specifier: `@longrun/${lib}${path.slice(1)}`,
    file: join(folder, conditions.default),
    name: /^\.\/dist\/bundle\/(.+)\.js$/.exec(conditions.node)[1],
  }));
}

async function bundle(compiled, { plugins, ...options }) {
  const output = join(compiled, 'bundle');
  const bundled = await rolldown({ platform: 'node', plugins: [...plugins, moduleUrls(output)], ...options });
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

/** What an app does not need of a lib is left out, and stacks name the files of libs too. */
function filesOfLibs() {
  const files = new Map([...exported.values()].flat().map(({ specifier, file }) => [specifier, file]));
  return {
    name: 'files-of-libs',
    resolveId: {
      filter: { id: /^@longrun\// },
      handler: (id, importer = '') =>
        TRAINING.test(importer) && SCIENCE.test(id) ? { id, external: true } : files.get(id),
    },
  };
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
