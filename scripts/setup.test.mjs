import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const here = realpathSync(mkdtempSync(join(tmpdir(), 'setup ü ')));
afterAll(() => rmSync(here, { recursive: true }));

test.each([
  ['that of the checkout by default', undefined, join(root, '.longrun')],
  ['that of the checkout for blanks', ' ', join(root, '.longrun')],
  ['what LONGRUN_STATE names', '/elsewhere/Zustand für 1', '/elsewhere/Zustand für 1'],
  ['seen from the working directory', 'Zustand für 1', join(here, 'Zustand für 1')],
])('the state folder is %s', (_what, given, folder) => {
  const { LONGRUN_STATE: _, ...inherited } = process.env;
  const setup = pathToFileURL(join(root, 'scripts', 'setup.mjs')).href;
  const program = `import(${JSON.stringify(setup)}).then(({ stateFolder }) => console.log(stateFolder))`;
  const env = given === undefined ? inherited : { ...inherited, LONGRUN_STATE: given };
  expect(spawnSync(process.execPath, ['--eval', program], { cwd: here, env, encoding: 'utf8' })).toMatchObject({
    stderr: '',
    stdout: `${folder}\n`,
  });
});
