// `npm run versions [-- 24] [--demo-only]`: the demo in short on this Node and on the others that Longrun supports, or those that are named, which
// must give the same bits, on this one with its objects in S3 where a server can be started, and on those others the tests that depend on
// what they run on. State and temporary files lie in a folder whose name has a space and an umlaut. node_modules is shared: what is native
// in it has Node-API, which all of them have, or is WebAssembly. The versions run side by side, as much of what they do is to wait; each
// step is printed when it is over.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { environmentFor, missingPrograms, startS3Server, storeUrl } from './s3-server.mjs';
import { ensureFashionMnist, root, setUp, stateFolder, stop } from './setup.mjs';

/** Major versions that are there, and those that are examined; the one that runs this is left out where its turn would come. */
const supported = [20, 22, 24];
const given = process.argv.slice(2);
const isDemoOnly = given.includes('--demo-only');
const asked = given.filter((word) => word !== '--demo-only').map(Number);
const unknown = asked.filter((major) => !supported.includes(major));
if (unknown.length > 0) stop(`versions: give major versions of Node among ${supported.join(', ')}, or none for all`);
const majors = (asked.length > 0 ? asked : supported).filter((major) => major !== majorOf(process.version));

/**
 * What native modules, files, child processes, sockets, encodings, WebAssembly and decorators can make different: the beginnings of the paths of tests.
 * The demo has all processes run.
 */
const tests = [
  ...within('libs/contracts', 'src/decode-text.test.ts', 'src/visible-text.test.ts'),
  ...within('libs/serialization', 'src/store'),
  ...within('libs/tensor', 'src/engine/onnxruntime', 'test/mlp-golden.test.ts'),
  ...within('libs/fuel', 'src/hdf5', 'test/h5py-goldens.test.ts'),
  ...within('libs/blocks', 'src/log', 'src/snapshot', 'src/experiment', 'test/torch-golden.test.ts'),
  ...within('libs/platform', 'src/child', 'src/queue/take-jobs.test.ts', 'src/worker/supervised-child.test.ts'),
  ...within('apps/api', 'src/request', 'src/experiments', 'src/token.test.ts'),
  ...within('apps/dashboard', 'src/liveness.test.ts'),
  ...within('apps/cli', 'src/stack', 'src/output', 'test/run.test.ts'),
  ...within('examples', 'test'),
];

setUp();
const nodes = [process.execPath, ...majors.map(nodeOf)];
const place = mkdtempSync(join(tmpdir(), 'Longrun für Versionen '));
const problems = [];
const hashes = await Promise.all(nodes.map(async (node) => [versionOf(node), await examine(node)]));
console.log('\nSHA-256 of the final parameters');
for (const [version, hash] of hashes) console.log(`  ${version.padEnd(10)} ${hash ?? 'none'}`);
if (new Set(hashes.map(([, hash]) => hash)).size > 1)
  problems.push('the demo does not end with the same bits on all of them');
for (const problem of problems) console.error(`versions: ${problem}`);
if (problems.length > 0) stop(`versions: failed (see above); what was left is in '${place}'.`);
rmSync(place, { recursive: true });
console.log('\nversions: all good');

/** What is to hold on one version. The hash that its demo ends with; undefined when that fails. */
async function examine(node) {
  const version = versionOf(node);
  const hash = await demo(node, version);
  if (node === process.execPath || isDemoOnly) return hash;
  if (!(await test(node, version))) problems.push(`${version}: tests failed: mend what is named above`);
  return hash;
}

async function demo(node, version) {
  const state = join(place, `Zustand ${version}`);
  ensureFashionMnist(state);
  const words = [join(root, 'apps/cli/bin/longrun.js'), 'demo', '--short'];
  const title = `${version}: the demo in short, in ${place}`;
  const env = environment(node, state);
  if (!(await (node === process.execPath ? runOnS3 : run)(title, node, words, { cwd: root, env }))) {
    problems.push(`${version}: the demo failed`);
    return undefined;
  }
  return JSON.parse(readFileSync(join(state, 'demo', 'result.json'), 'utf8')).undisturbed.parametersSha256;
}

/** Likewise with an S3 server for its objects, where one can be started; the title says which. */
async function runOnS3(title, node, words, options) {
  const missing = missingPrograms();
  if (missing.length > 0)
    return await run(`${title}, without S3, as ${missing.join(', ')} are not installed`, node, words, options);
  const server = await startS3Server().catch((error) => void problems.push(error.message));
  if (server === undefined) return false;
  try {
    const env = environmentFor(server.access, options.env);
    return await run(`${title}, with its objects in S3`, node, [...words, '--s3', storeUrl(server.access, 'demo')], {
      ...options,
      env,
    });
  } finally {
    await server.stop();
  }
}

/** All in one run, whose files share what they import. Reports go to the terminal only: `test-results/` is that of `npm test`. */
async function test(node, version) {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const words = [
    vitest,
    'run',
    '--config',
    join(root, 'vitest.config.ts'),
    '--root',
    '.',
    '--reporter',
    'default',
    ...tests,
  ];
  const { LONGRUN_STATE: _, ...env } = environment(node, place);
  return await run(`${version}: tests`, node, words, { cwd: root, env });
}

function within(project, ...beginnings) {
  return beginnings.map((beginning) => `${project}/${beginning}`);
}

/** Runs a step to its end, and prints what it printed under its title. Whether it succeeded. */
function run(title, node, words, options) {
  console.log(`versions: begun: ${title}`);
  const begun = performance.now();
  return new Promise((resolve) => {
    const child = spawn(node, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const pieces = [];
    const keep = (piece) => pieces.push(piece);
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => keep(Buffer.from(`${error}\n`)));
    child.on('close', (status) => {
      console.log(`\n== ${title} (${((performance.now() - begun) / 1000).toFixed(0)} s)`);
      process.stdout.write(Buffer.concat(pieces));
      resolve(status === 0);
    });
  });
}

function environment(node, state) {
  return {
    ...process.env,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
    TMPDIR: place,
    LONGRUN_STATE: state,
  };
}

/** The program of a version: LONGRUN_NODE_<major> names one; else npm's package of its binary, kept in the state folder. */
function nodeOf(major) {
  const named = process.env[`LONGRUN_NODE_${major}`]?.trim();
  const folder = join(stateFolder, 'versions', `node-${major}`);
  const name = `node-${process.platform}-${process.arch}`;
  const node = named || join(folder, 'node_modules', name, 'bin', 'node');
  if (!named && !existsSync(node)) {
    console.log(`versions: fetching Node ${major}`);
    mkdirSync(folder, { recursive: true });
    // With a cache of its own it needs no home folder.
    const words = ['install', '--prefix', folder, '--cache', join(stateFolder, 'versions', 'npm')];
    spawnSync('npm', [...words, '--ignore-scripts', `${name}@${major}`], { cwd: folder, stdio: 'inherit' });
  }
  if (majorOf(versionOf(node)) === major) return node;
  return stop(
    `versions: there is no Node ${major} at '${node}'. It comes from the npm registry as '${name}@${major}'; where that cannot be ` +
      `had, install it otherwise and run 'LONGRUN_NODE_${major}=/path/to/node npm run versions'.`,
  );
}

function versionOf(node) {
  return spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? '';
}

function majorOf(version) {
  return Number(/^v(\d+)\./.exec(version)?.[1]);
}
