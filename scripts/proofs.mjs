// `npm run proofs`, after a build: whole what `npm test` takes a part of, as it would take too long.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** Projects, each with what stands in the paths of its proofs, and of the tests that try more in a proof. */
const PROOFS = {
  'libs/tensor': ['named-sizes-law'],
  'libs/platform': ['.proof.'],
  examples: ['killed-programs'],
  'apps/cli': ['.proof.', 'fault-points'],
  'apps/worker-gpu': ['.proof.'],
  'apps/fuel-preproc': ['.proof.'],
  bench: ['.proof.'],
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
