// `npm run demo:soak -- N`: N runs of the demo's experiment, each killed at fresh random moments, against one undisturbed run.
import { join } from 'node:path';
import { ensureFashionMnist, must, root, setUp, stateFolder, stop } from './setup.mjs';

const count = process.argv[2] ?? '20';
if (!/^[1-9]\d*$/.test(count)) stop(`demo:soak takes the number of runs, not '${count}': npm run demo:soak -- 20`);
setUp();
ensureFashionMnist();
must(
  process.execPath,
  [join(root, 'apps/cli/bin/longrun.js'), 'demo', '--state', stateFolder, '--repeat', count],
  `The soak failed (see above); the kill moments are in ${join(stateFolder, 'demo', 'soak.json')}.`,
);
