// `npm run check`: everything that must hold before a change lands, the quickest first.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { nx, root, setUp } from './setup.mjs';

setUp();
const steps = [
  ['format', [join(root, 'node_modules', 'oxfmt', 'bin', 'oxfmt'), '--check', '.'], "run 'npm run format'"],
  ['project references', [nx, 'sync:check'], "run 'npx nx sync'"],
  ['lint', [nx, 'run-many', '-t', 'lint', '--output-style=static'], 'mend what the linter names above'],
  ['typecheck', [nx, 'run-many', '-t', 'typecheck', '--output-style=static'], 'mend the type errors above'],
  ['test', [join(root, 'scripts', 'test.mjs')], 'mend the failing tests above'],
];
for (const [name, args, remedy] of steps) {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error(`\ncheck: ${name} failed: ${remedy}.`);
    process.exit(1);
  }
}
console.log('\ncheck: all good');
