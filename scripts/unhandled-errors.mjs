// A reporter of Vitest: what fails outside of tests, as a rejection that nobody handles, goes to `test-results/unhandled.json`, which
// `npm test` removes before and reads after. The JSON report does not have it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const FILE = 'test-results/unhandled.json';

export default class UnhandledErrors {
  onTestRunEnd(_modules, errors) {
    if (errors.length === 0) return;
    mkdirSync(dirname(FILE), { recursive: true });
    writeFileSync(FILE, JSON.stringify(errors.map(({ message, stack }) => stack || message)));
  }
}
