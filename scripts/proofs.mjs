// `npm run proofs`, after a build: whole what `npm test` takes a part of, as it would take too long.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** Projects, each with the files of its tests that know of proofs, or are left out of `npm test` (see vitest.config.ts). */
const PROOFS = {
  'libs/tensor': ['test/named-sizes-law.test.ts'],
  'libs/platform': ['test/faults.test.ts', 'test/log-completion.test.ts'],
  examples: ['test/killed-programs.test.ts'],
  'apps/cli': ['test/fault-points.test.ts', 'test/api-restart.test.ts', 'test/old-state.test.ts'],
  'apps/fuel-preproc': ['test/stall.test.ts'],
  'apps/worker-gpu': ['test/poison.test.ts', 'test/stall.test.ts'],
};

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
let failed = false;
for (const [project, files] of Object.entries(PROOFS)) {
  const words = [vitest, 'run', '--config', join(root, 'vitest.config.ts'), '--root', '.', ...files];
  const { status } = spawnSync(process.execPath, words, {
    cwd: join(root, project),
    stdio: 'inherit',
    env: { ...process.env, LONGRUN_PROOFS: 'all' },
  });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
