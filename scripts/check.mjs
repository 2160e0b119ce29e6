// `npm run check`: everything that must hold before a change lands, the quickest first.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { nx, root, setUp } from './setup.mjs';

setUp();
const steps = [
  {
    name: 'format',
    args: [join(root, 'node_modules', 'oxfmt', 'bin', 'oxfmt'), '--check', '.'],
    remedy: "run 'npm run format'",
  },
  { name: 'project references', args: [nx, 'sync:check'], remedy: "run 'npx nx sync'" },
  {
    name: 'lint',
    args: [join(root, 'node_modules', 'oxlint', 'bin', 'oxlint'), '--type-aware', '--deny-warnings', '.'],
    remedy: 'mend what the linter names above',
  },
  {
    name: 'typecheck',
    args: [nx, 'run-many', '-t', 'typecheck', '--output-style=static'],
    remedy: 'mend the type errors above',
  },
  { name: 'test', args: [join(root, 'scripts', 'test.mjs')], remedy: 'mend the failing tests above' },
];
for (const { name, args, remedy } of steps) {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error(`\ncheck: ${name} failed: ${remedy}.`);
    process.exit(1);
  }
}
console.log('\ncheck: all good');
