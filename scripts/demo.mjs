// `npm run demo`: sets the machine up, then hands over to `longrun demo`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureFashionMnist, root, setUp, stateFolder } from './setup.mjs';

setUp();
ensureFashionMnist();
runDemo(process.argv.slice(2));

/** Ctrl+C reaches the whole process group; this one waits so that the demo can stop its stack cleanly. */
function runDemo(args) {
  const demo = spawn(
    process.execPath,
    [join(root, 'apps/cli/bin/longrun.js'), 'demo', '--state', stateFolder, ...args],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && demo.kill(signal));
  demo.on('exit', (code, signal) => process.exit(signal === null ? code : 1));
}
