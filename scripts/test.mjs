// `npm test`: sets the machine up, runs every project's tests through Nx, and adds up what they report.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePostgres, nx, root, setUp } from './setup.mjs';

setUp();
ensurePostgres();
const { status } = spawnSync(
  process.execPath,
  [nx, 'run-many', '-t', 'test', '--output-style=static', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const folder of ['apps', 'libs', '.'].flatMap((parent) => foldersIn(join(root, parent)))) {
  const report = join(folder, 'test-results', 'report.json');
  if (!existsSync(report)) continue;
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8'));
  counts.passed += numPassedTests;
  counts.failed += numFailedTests;
  counts.skipped += numPendingTests;
}
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
if (counts.passed === 0) console.error('No test ran: see the output above.');
process.exit(status === 0 && counts.passed > 0 && counts.failed === 0 ? 0 : 1);

function foldersIn(parent) {
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map((entry) => join(parent, entry.name));
}
