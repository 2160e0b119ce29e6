// The libraries as they would be published: packed, and used by a project that has nothing of this checkout but what their manifests depend on.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const LIBS = ['contracts', 'serialization', 'tensor', 'fuel', 'blocks', 'client'];
const rootManifest = manifestIn(root);

let project;
const packed = new Map();
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'longrun-packages-'));
  const words = LIBS.flatMap((lib) => ['-w', `@longrun/${lib}`]);
  const printed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project, ...words], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // npm 12 answers an object, those before it a list.
  for (const { name, filename, files } of Object.values(JSON.parse(printed))) {
    const place = join(project, 'node_modules', name);
    mkdirSync(place, { recursive: true });
    execFileSync('tar', ['-xzf', join(project, filename), '--strip-components=1', '-C', place]);
    packed.set(name.replace('@longrun/', ''), { place, files: files.map(({ path }) => path) });
  }
  for (const [lib, { place }] of packed) {
    for (const name of Object.keys(manifestIn(place).dependencies)) {
      if (!name.startsWith('@longrun/')) link(placeOf(name, lib), join(place, 'node_modules', name));
    }
  }
  link(join(root, 'node_modules/@types/node'), join(project, 'node_modules/@types/node'));
  copyFileSync(join(import.meta.dirname, 'consumer.mts'), join(project, 'consumer.mts'));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module', private: true }));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

test.each(LIBS)('%s has what is needed of it, and nothing else', (lib) => {
  const { place, files } = packed.get(lib);
  const manifest = manifestIn(place);
  const others = files.filter((path) => !/^dist\/.*\.(js|d\.ts)$|^dist\/bundle\/.*\.js\.map$/.test(path));
  expect(others.toSorted()).toEqual(['LICENSE', 'README.md', 'package.json']);
  expect(files.filter((path) => /\.test\.|(^|\/)test\//.test(path))).toEqual([]);
  const entries = Object.values(manifest.exports).flatMap(({ '@longrun/source': _source, ...published }) =>
    Object.values(published),
  );
  expect(files).toEqual(expect.arrayContaining(entries.map((path) => path.replace('./', ''))));
  expect(manifest).toMatchObject({
    license: rootManifest.license,
    engines: { node: rootManifest.engines.node },
    description: expect.stringMatching(/\.$/),
  });
  expect(readFileSync(join(place, 'LICENSE'), 'utf8')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'));
  const own = Object.entries(manifest.dependencies).filter(([name]) => name.startsWith('@longrun/'));
  expect(own.map(([, version]) => version)).toEqual(own.map(() => manifest.version));
});

test('a project of its own compiles against them, their declarations checked too, and runs', () => {
  const options = { strict: true, skipLibCheck: false, module: 'nodenext', target: 'es2023', types: ['node'] };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['consumer.mts'] }));
  const compiled = run(join(root, 'node_modules/typescript/bin/tsc'), '-p', '.');
  expect(compiled).toBe('');
  expect(JSON.parse(run('consumer.mjs'))).toEqual({
    tensors: [
      ['/mlp/linear_0.W', [3, 4]],
      ['/mlp/linear_0.b', [4]],
      ['/mlp/linear_1.W', [4, 2]],
      ['/mlp/linear_1.b', [2]],
    ],
    areEqual: true,
    seed: 7,
    isUnreachable: true,
    others: ['function', 'function'],
  });
});

/** What a script prints that Node runs in the project, wrong or not. */
function run(...words) {
  try {
    return execFileSync(process.execPath, words, { cwd: project, encoding: 'utf8', env: { PATH: process.env.PATH } });
  } catch (error) {
    throw new Error(`${words.join(' ')} has failed:\n${error.stdout}${error.stderr}`, { cause: error });
  }
}

function manifestIn(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Where a dependency of a library is installed in this checkout. */
function placeOf(name, lib) {
  const own = join(root, 'libs', lib, 'node_modules', name);
  return existsSync(own) ? own : join(root, 'node_modules', name);
}

function link(target, path) {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}
