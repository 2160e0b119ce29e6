// Makes a small state folder with the build of a checkout, as a fixture for later builds to go on from:
//
//     node apps/cli/test/states/make.mjs <built checkout> <output.tar.br>
//
// (Node 22.18 or newer, which reads TypeScript.) In it: a tiny dataset, an experiment that succeeded, one that was
// cancelled, and one that is half done, every process of its stack killed. All run on the reference engine, whose bits are the same on every
// machine.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, constants } from 'node:zlib';
import { writeTinyMnist } from '../tiny-mnist.ts';

const [checkout, output] = process.argv.slice(2).map((argument) => resolve(argument));
if (checkout === undefined || output === undefined) throw new Error('give a built checkout and the file to write');

const parent = mkdtempSync(join(tmpdir(), 'longrun-state-'));
const state = join(parent, 'state');
await writeTinyMnist(join(state, 'raw', 'tiny'), { train: 200, test: 50, side: 8 });
const longrun = join(checkout, 'apps', 'cli', 'bin', 'longrun.js');
const stack = spawn(process.execPath, [longrun, '--state', state, 'up'], { stdio: 'inherit', detached: true });

const api = await until(() => JSON.parse(readFileSync(join(state, 'api.json'), 'utf8')));
const token = readFileSync(join(state, 'token'), 'utf8').trim();
await post('datasets', { name: 'tiny', converter: 'mnist', source: { folder: 'tiny' } });
await until(async () => (await get('datasets/tiny')).status === 'ready' || undefined);

const whole = await post('experiments', experiment('whole', { epochs: 5 }));
const succeeded = await until(async () => {
  const view = await get(`experiments/${whole.id}`);
  return view.status === 'succeeded' ? view : undefined;
});
const stopped = await post('experiments', experiment('stopped', { epochs: 150 }));
await until(async () => ((await get(`experiments/${stopped.id}`)).checkpoints.length >= 1 ? true : undefined));
await post(`experiments/${stopped.id}/cancel`, {});
const cancelled = await until(async () => {
  const view = await get(`experiments/${stopped.id}`);
  return view.status === 'cancelled' ? view : undefined;
});
const half = await post('experiments', experiment('half', { epochs: 150 }));
const interrupted = await until(async () => {
  const view = await get(`experiments/${half.id}`);
  return view.checkpoints.length >= 2 ? view : undefined;
});

// All at once, the way a machine loses its power.
const everyone = execFileSync('ps', ['-axo', 'pid=,args='], { encoding: 'utf8' })
  .split('\n')
  .filter((line) => line.includes(state) || line.includes(`${checkout}/apps/`))
  .map((line) => Number(line.trim().split(/\s+/)[0]))
  .filter((pid) => pid !== process.pid);
process.kill(stack.pid, 'SIGKILL');
for (const pid of everyone) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
await sleep(500);
for (const folder of ['logs', 'cache', 'raw']) rmSync(join(state, folder), { recursive: true, force: true });
writeFileSync(
  join(state, 'expected.json'),
  JSON.stringify(
    {
      build: execFileSync('git', ['-C', checkout, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
      whole: { id: whole.id, parametersSha256: succeeded.result.parametersSha256, lastRow: succeeded.result.lastRow },
      stopped: [{ id: stopped.id, lastStep: cancelled.attempts.at(-1).lastStep }],
      half: { id: half.id, spec: half.spec, stepAtLeast: interrupted.checkpoints[0].step },
    },
    null,
    2,
  ),
);
const tar = join(parent, 'state.tar');
execFileSync('tar', ['-cf', tar, '-C', parent, 'state']);
writeFileSync(output, brotliCompressSync(readFileSync(tar), { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } }));
rmSync(parent, { recursive: true, force: true });

function experiment(name, params) {
  return {
    name,
    program: 'mlp',
    dataset: 'tiny',
    params: { dims: [64, 8, 10], activations: ['rectifier', 'softmax'], batchSize: 10, learningRate: 0.01, ...params },
    checkpoint: { everyBatches: 100 },
    resources: { engine: 'reference', threads: 1 },
  };
}

async function get(path) {
  const answer = await fetch(`${api.url}/v1/${path}`, { headers: { authorization: `Bearer ${token}` } });
  return answer.json();
}

async function post(path, body) {
  const answer = await fetch(`${api.url}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  return answer.json();
}

async function until(look) {
  for (;;) {
    const found = await Promise.resolve()
      .then(look)
      .catch(() => undefined);
    if (found !== undefined) return found;
    await sleep(20);
  }
}
