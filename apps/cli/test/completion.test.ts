import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { CommandLine } from './command-line.js';
import { type HttpServer, serve } from './http-server.js';
import { dataset, summary } from './views.js';

const bin = fileURLToPath(new URL('../bin/longrun.js', import.meta.url));
let folder: string;
let server: HttpServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-completion-'));
  server = await serve((request, response) => {
    const isDatasets = request.url?.startsWith('/v1/datasets') === true;
    const experiments = ['first-run', '$(touch it-was-run)', 'second run'].map((name) => ({ ...summary, name }));
    const page = isDatasets
      ? { items: [{ ...dataset, name: 'fashion-mnist' }], nextCursor: null }
      : { items: experiments, nextCursor: null, counts: null };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page));
  });
  await writeFile(join(folder, 'script'), (await new CommandLine(folder).run('completion', 'bash')).stdout);
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

test('bash completes commands, options and words without asking an API', async () => {
  const lines = [
    'longrun su',
    'longrun checkpoint p',
    'longrun show --j',
    'longrun fork x --allow ',
    'longrun completion -',
  ];
  const [commands, nested, options, words] = await completed(lines, 'false');
  expect(commands).toEqual(['submit']);
  expect(nested).toEqual(['pin']);
  expect(options).toEqual(['--json']);
  expect(words).toEqual(['program', 'datasets']);
});

test('ids and names are asked of the API, and what a shell would run is not among them', async () => {
  const lines = [`longrun --server ${server.url} show `, 'longrun submit spec.yaml --dataset fash'];
  const [references, datasets] = await completed(lines, `'${process.execPath}' '${bin}' "$@"`);
  expect(references).toEqual([summary.id, 'first-run', dataset.id, 'fashion-mnist']);
  expect(datasets).toEqual(['fashion-mnist']);
});

test('an API that does not answer is not spoken of', async () => {
  const environment = { LONGRUN_URL: 'http://127.0.0.1:1', LONGRUN_TOKEN: 'a-token-of-this-test' };
  const told = await new CommandLine(folder).runWith(environment, 'complete', 'references');
  expect(told).toEqual({ code: 0, stdout: '', stderr: '' });
});

/** What a real bash offers after each line, where `longrun` runs a command. */
async function completed(lines: readonly string[], command: string): Promise<string[][]> {
  const program = `
    source "$1"; shift
    longrun() { ${command}; }
    for line; do
      COMP_LINE=$line; read -ra COMP_WORDS <<< "$line"
      [[ $line == *' ' ]] && COMP_WORDS+=('')
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=()
      _longrun; (IFS=,; echo "\${COMPREPLY[*]}")
    done`;
  const { stdout } = await promisify(execFile)('bash', ['-c', program, 'bash', join(folder, 'script'), ...lines], {
    cwd: folder,
    env: { PATH: process.env['PATH'], LONGRUN_URL: server.url, LONGRUN_TOKEN: 'a-token-of-this-test' },
  });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
}
