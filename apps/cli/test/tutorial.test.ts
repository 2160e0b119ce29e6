import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { CommandLine, type RunningCommand } from './command-line.js';
import { PYTHON } from './python-tensors.js';
import { writeTinyMnist } from './tiny-mnist.js';

const page = readFileSync(new URL('../../../docs/tutorial.md', import.meta.url), 'utf8');
const bin = fileURLToPath(new URL('../bin/longrun.js', import.meta.url));
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((text) => ({ title: text.split('\n', 1)[0] ?? '', text, blocks: blocksOf(text) }))
  .filter(({ blocks }) => blocks.length > 0);

let folder: string;
let stack: RunningCommand | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-tutorial-'));
  // What a checkout has after its set-up; of the images, some.
  await writeTinyMnist(join(folder, '.longrun/raw/fashion-mnist'), { train: 6400, test: 100, side: 28 });
  await write(
    'examples/fashion-mnist.yaml',
    'name: fashion-mnist\nconverter: mnist\nsource: { folder: fashion-mnist }\n',
  );
  await write('bin/longrun', `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`);
  await chmod(join(folder, 'bin/longrun'), 0o755);
});

afterAll(async () => {
  stack?.signal('SIGINT');
  const code = await stack?.ended();
  await rm(folder, { recursive: true, force: true });
  if (stack !== undefined) expect(code).toBe(130);
});

test('the tutorial has blocks of each kind', () => {
  const kinds = sections.flatMap(({ blocks }) => blocks.map(({ kind }) => kind));
  expect(new Set(kinds)).toEqual(new Set(['ts', 'sh', 'text', 'python']));
  expect(page.match(/^```\w/gm)).toHaveLength(kinds.length);
});

for (const { title, text, blocks } of sections) {
  const isPython = blocks.some(({ kind }) => kind === 'python');
  test.skipIf(isPython && PYTHON === undefined)(
    `"${title}" does what the tutorial says${isPython && PYTHON === undefined ? ': did not run, as no python3, nor LONGRUN_PYTHON, imports safetensors and numpy' : ''}`,
    async () => {
      let printed = '';
      for (const { kind, body } of blocks) {
        if (kind === 'ts') await write(/Save this as `(\S+)`/.exec(text)?.[1] ?? '', body);
        else if (kind === 'text') expectLines(printed, body);
        else if (body === 'longrun up\n') printed = await up();
        else printed = kind === 'sh' ? await bash(body) : python(body);
      }
    },
  );
}

interface Block {
  readonly kind: string;
  readonly body: string;
}

function blocksOf(text: string): readonly Block[] {
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, kind = '', body = '']) => ({ kind, body }));
}

async function write(name: string, text: string): Promise<void> {
  await mkdir(join(folder, name, '..'), { recursive: true });
  await writeFile(join(folder, name), text);
}

async function up(): Promise<string> {
  stack = new CommandLine(join(folder, '.longrun'), { cwd: folder }).start('up');
  await stack.line(/Ctrl\+C stops everything/);
  return stack.stdout + stack.stderr;
}

/** What a block prints as a shell runs it that ends with the first command that fails. */
async function bash(body: string): Promise<string> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^LONGRUN_|^DATABASE_URL$/.test(name));
  const env = { ...Object.fromEntries(inherited), PATH: [join(folder, 'bin'), process.env['PATH']].join(delimiter) };
  const child = spawn('bash', ['-ec', `exec 2>&1\n${body}`], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString()));
  await once(child, 'close');
  expect({ code: child.exitCode, printed }).toMatchObject({ code: 0 });
  return printed;
}

function python(body: string): string {
  const { status, stdout, stderr } = spawnSync(PYTHON ?? 'python3', ['-c', body], { cwd: folder, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

/** The lines that a block shows were printed in that order, perhaps with others between, but for what differs from run to run. */
function expectLines(printed: string, shown: string): void {
  let rest = printed.split('\n');
  for (const line of shown.trimEnd().split('\n')) {
    const pattern = patternOf(line);
    const at = rest.findIndex((candidate) => pattern.test(candidate));
    expect(at, `'${line}' is not printed, or not there, in:\n${printed}`).toBeGreaterThanOrEqual(0);
    rest = rest.slice(at + 1);
  }
}

/** What is another each time a block runs, by what it is then. */
const DIFFERS = {
  '(?<=#token=)\\S+': '\\S+',
  '/home/you/longrun': '\\S+',
  '(?<=worker-gpu-)[\\w.-]+': '[\\w.-]+',
  '(?<=exp_|ds_)[0-9a-f]{32}': '[0-9a-f]{32}',
  '[0-9a-f]{64}': '[0-9a-f]{64}',
  '\\d[\\d.]* [kM]?B\\b': '[\\d.]+ [kM]?B',
  '\\d[\\d.]*': '[\\d.]+',
  '\\s+': '\\s+',
};

function patternOf(line: string): RegExp {
  const parts = new RegExp(
    Object.keys(DIFFERS)
      .map((part) => `(${part})`)
      .join('|'),
    'g',
  );
  const patterns = Object.values(DIFFERS);
  let pattern = '';
  let end = 0;
  for (const { 0: found, index, ...groups } of line.matchAll(parts)) {
    pattern += escaped(line.slice(end, index)) + patterns.find((_, at) => groups[at + 1] !== undefined);
    end = index + found.length;
  }
  return new RegExp(`^${pattern}${escaped(line.slice(end))}$`);
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
