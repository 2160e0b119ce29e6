// `npm run bench -- NAME`: sets the machine up and runs one side-by-side benchmark.
import { join } from 'node:path';
import { ensureFashionMnist, must, root, setUp, stateFolder } from './setup.mjs';

setUp();
ensureFashionMnist();
must(
  process.execPath,
  [join(root, 'bench/dist/main.js'), ...process.argv.slice(2)],
  'The benchmark failed (see above).',
  { env: { ...process.env, LONGRUN_STATE: stateFolder } },
);
