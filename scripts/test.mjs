// `npm test`: sets the machine up, runs every project's tests through Nx, adds up what they report, and says again at the end
// what failed: in the middle of thousands of lines nobody finds it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ensurePostgres, ensureS3, nx, root, setUp } from './setup.mjs';

/** What takes longest, mostly to wait for processes: begun before the others that nothing else is built from, which take turns beside it. */
const LONGEST = ['@longrun/worker-gpu', '@longrun/cli'];

const projects = ['apps', 'libs', '.'].flatMap((parent) => foldersIn(join(root, parent)));
const reports = projects.map((folder) => join(folder, 'test-results', 'report.json'));
const unhandled = projects.map((folder) => join(folder, 'test-results', 'unhandled.json'));

setUp();
ensurePostgres();
ensureS3();
// What is not run is not counted.
for (const file of [...reports, ...unhandled]) rmSync(file, { force: true });
const words = process.argv.slice(2);
if (!words.some((word) => /^(-p|--projects)\b/.test(word))) words.push(`--projects=${[...LONGEST, '*'].join(',')}`);
const { status } = spawnSync(process.execPath, [nx, 'run-many', '-t', 'test', '--output-style=static', ...words], {
  cwd: root,
  stdio: 'inherit',
});

const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
for (const report of reports.filter((path) => existsSync(path))) {
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  counts.passed += numPassedTests;
  counts.failed += numFailedTests;
  counts.skipped += numPendingTests;
  failures.push(...testResults.flatMap(failuresIn));
}
for (const file of unhandled.filter((path) => existsSync(path))) {
  const errors = JSON.parse(readFileSync(file, 'utf8'));
  failures.push(...errors.map((stack) => `FAILED outside of tests: ${relative(root, file)}\n${beginningOf(stack)}`));
}
for (const failure of failures) console.log(`\n${failure}`);
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
if (status !== 0) console.error('A project that could not be built is named above only.');
if (counts.passed === 0) console.error('No test ran: see the output above.');
process.exit(status === 0 && counts.passed > 0 && counts.failed === 0 ? 0 : 1);

/** What failed in one file, each with the beginning of why; a file that could not be run is one failure. */
function failuresIn({ name, status: outcome, message, assertionResults }) {
  const file = relative(root, name);
  const failed = assertionResults.filter((result) => result.status === 'failed');
  const each = failed.map(({ fullName, failureMessages }) => {
    return `FAILED ${file} > ${fullName}\n${beginningOf(failureMessages.join('\n'))}`;
  });
  const isWhole = outcome === 'failed' && failed.length === 0;
  return isWhole || message ? [...each, `FAILED ${file}\n${beginningOf(message || 'see above')}`] : each;
}

function beginningOf(text) {
  return text
    .split('\n', 25)
    .map((line) => `    ${line}`)
    .join('\n');
}

function foldersIn(parent) {
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map((entry) => join(parent, entry.name));
}
