// `npm run dev`: compiles as files change and runs the local stack, restarted after each successful build.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { ensureFashionMnist, root, setUp, stateFolder } from './setup.mjs';

/** A build touches many files; the stack restarts once they have been quiet for this long. */
const QUIET_MS = 700;

setUp();
ensureFashionMnist();

const compiler = spawn(
  process.execPath,
  [join(root, 'node_modules/native-typescript/bin/tsc'), '-b', '-w', '--preserveWatchOutput'],
  { cwd: root, stdio: 'inherit' },
);
let stopping = false;
let restartWanted = false;
let pending;
let stack = start();

for (const parent of ['apps', 'libs', 'examples']) {
  watch(join(root, parent), { recursive: true }, (_event, file) => {
    if (file === null || !/(^|\/)dist\/(?!bundle\/).*\.js$/.test(file)) return;
    clearTimeout(pending);
    pending = setTimeout(restart, QUIET_MS);
  });
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // A terminal that goes may say so more than once.
    if (stopping && signal === 'SIGHUP') return;
    const isAgain = stopping;
    stopping = true;
    clearTimeout(pending);
    compiler.kill('SIGTERM');
    if (!isRunning()) process.exit(0);
    // To `up` a second one means: kill everything.
    if (isAgain || !restartWanted) stack.kill('SIGTERM');
  });
}

function start() {
  const started = spawn(process.execPath, [join(root, 'apps/cli/bin/longrun.js'), 'up', '--state', stateFolder], {
    cwd: root,
    stdio: 'inherit',
    detached: true,
  });
  started.once('exit', () => {
    if (stopping) process.exit(0);
    if (!restartWanted) return;
    restartWanted = false;
    stack = start();
  });
  return started;
}

function restart() {
  if (stopping || !existsSync(join(root, 'apps/cli/dist/main.js'))) return;
  // Also while the stack still stops for an earlier build: what starts then is to be all of one build. One that fails says why, and
  // leaves what runs as it is.
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/bundle.mjs')], { cwd: root, stdio: 'inherit' });
  if (status !== 0 || restartWanted) return;
  console.log('dev: a new build; restarting the stack');
  if (isRunning()) {
    restartWanted = true;
    stack.kill('SIGTERM');
  } else {
    stack = start();
  }
}

function isRunning() {
  return stack.exitCode === null && stack.signalCode === null;
}
