// `npm run soak -- MINUTES [--seed N] [--experiments N]`: small experiments on two workers while everything is killed, stopped and
// flushed at random.
import { join } from 'node:path';
import { ensureFashionMnist, must, root, setUp, stateFolder, stop } from './setup.mjs';

const [minutes = '30', ...more] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(minutes)) stop(`soak takes the number of minutes, not '${minutes}': npm run soak -- 30`);
setUp();
ensureFashionMnist();
must(
  process.execPath,
  [join(root, 'apps/cli/bin/longrun.js'), 'soak', '--state', stateFolder, '--minutes', minutes, ...more],
  `The soak failed (see above); if it came to its end, all facts are in ${join(stateFolder, 'soak', 'soak.json')}.`,
);
