// `npm run dev`: compiles as files change and runs the local stack, restarted after each successful build.
import { spawn } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { ensureFashionMnist, root, setUp, stateFolder } from './setup.mjs';

/** A build touches many files; the stack restarts once they have been quiet for this long. */
const QUIET_MS = 700;

setUp();
ensureFashionMnist();

const compiler = spawn(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-b', '-w', '--preserveWatchOutput'],
  { cwd: root, stdio: 'inherit' },
);
let stack = start();
let stopping = false;
let pending;

for (const parent of ['apps', 'libs', 'examples']) {
  watch(join(root, parent), { recursive: true }, (_event, file) => {
    if (file === null || !/(^|\/)dist\/.*\.js$/.test(file)) return;
    clearTimeout(pending);
    pending = setTimeout(restart, QUIET_MS);
  });
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    stopping = true;
    clearTimeout(pending);
    compiler.kill('SIGTERM');
    stack.kill('SIGTERM');
    stack.once('exit', () => process.exit(0));
  });
}

function start() {
  return spawn(process.execPath, [join(root, 'apps/cli/bin/longrun.js'), 'up', '--state', stateFolder], {
    cwd: root,
    stdio: 'inherit',
    detached: true,
  });
}

function restart() {
  if (stopping || !existsSync(join(root, 'apps/cli/dist/main.js'))) return;
  console.log('dev: a new build; restarting the stack');
  stack.once('exit', () => {
    if (!stopping) stack = start();
  });
  stack.kill('SIGTERM');
}
