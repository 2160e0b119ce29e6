import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

import {
  ConfigurationError,
  type Environment,
  environmentWithoutSecrets,
  hideEnvironment,
  places,
  readVariables,
  variables,
} from '@longrun/platform/configuration';
import {
  ControlGroups,
  Isolation,
  objectStoreFault,
  readWorkerConfiguration,
  redisFault,
} from '@longrun/platform/worker';

import { size } from '../output/amounts.js';
import type { Terminal } from '../output/terminal.js';
import { findInstallation, findRedisServer } from '../stack/installation.js';

export interface DoctorOptions {
  readonly state: string;
  readonly environment: Environment;
  /** All checks as one JSON object. */
  readonly json: boolean;
}

/** What was found of one thing. A `note` is no failure: something can be had better, and what follows is said. */
interface Check {
  readonly name: string;
  readonly status: 'ok' | 'note' | 'failed';
  readonly detail: string;
}

/** Looks whether Longrun can run here, and what it can protect. The exit code: 1 when a check failed. Changes nothing. */
export async function doctor(terminal: Terminal, options: DoctorOptions): Promise<number> {
  const state = resolve(options.state);
  const checks: Check[] = [];
  for (const [name, look] of [
    ['node', node],
    ['build', build],
    ['redis-server', redisServer],
    ['engine', engine],
    ['state folder', async () => await stateFolder(state)],
    ['separation', async () => await separation(state, options.environment)],
    ['memory limit', memoryLimit],
    ['environment', environmentHidden],
    ['redis', async () => await redis(options.environment)],
    ['objects', async () => await objects(options.environment)],
  ] as const) {
    const check = { name, ...(await looked(look)) };
    checks.push(check);
    if (!options.json) terminal.print(line(check, terminal));
  }
  const ok = checks.every(({ status }) => status !== 'failed');
  if (options.json) terminal.printJson({ ok, checks }, 2);
  return ok ? 0 : 1;
}

type Finding = Omit<Check, 'name'>;

async function looked(look: () => Promise<Finding> | Finding): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

function line({ name, status, detail }: Check, terminal: Terminal): string {
  const signs = { ok: ['green', '✓'], note: ['yellow', '!'], failed: ['red', '✗'] } as const;
  const [style, sign] = signs[status];
  return `${terminal.style(style, sign)} ${name.padEnd(13)} ${detail}`;
}

const ok = (detail: string): Finding => ({ status: 'ok', detail });
const note = (detail: string): Finding => ({ status: 'note', detail });
const failed = (detail: string): Finding => ({ status: 'failed', detail });

const run = promisify(execFile);

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const serves = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24;
  return serves
    ? ok(process.version)
    : failed(`${process.version} does not serve; install Node 20.19, 22.12, 24 or a later one`);
}

function build(): Finding {
  return ok(findInstallation().root);
}

async function redisServer(): Promise<Finding> {
  const path = findRedisServer();
  const { stdout } = await run(path, ['--version'], { env: environmentWithoutSecrets(process.env) });
  return ok(`${path} ${/v=(\S+)/.exec(stdout)?.[1] ?? ''}`.trim());
}

/** In a process of its own: what loads no native library may end by a signal. */
async function engine(): Promise<Finding> {
  const library = join(findInstallation().root, 'libs', 'tensor');
  const load = ['--input-type=module', '-e', `await import('onnxruntime-node')`];
  try {
    await run(process.execPath, load, { cwd: library, env: environmentWithoutSecrets(process.env) });
    return ok('onnxruntime loads');
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    const why = said === '' ? String(error) : said;
    return failed(`onnxruntime does not load; run \`npm run setup\` again. ${why.split('\n').slice(-6).join(' ')}`);
  }
}

async function stateFolder(state: string): Promise<Finding> {
  const existing = await nearestExisting(state);
  await access(existing, constants.W_OK | constants.X_OK);
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  if (free < LEAST_FREE_BYTES)
    return failed(`${state} has ${size(free)} free, too little for checkpoints; make room, or give another --state`);
  if (existing !== state) return ok(`${state} will be made; ${size(free)} free`);
  const mode = (await stat(state)).mode & 0o777;
  const text = `${state}, mode ${mode.toString(8).padStart(4, '0')}, ${size(free)} free`;
  return (mode & 0o066) === 0 ? ok(text) : note(`${text}: other users see into it; run \`chmod go-rw ${state}\``);
}

const LEAST_FREE_BYTES = 256 * 2 ** 20;

async function separation(state: string, environment: Environment): Promise<Finding> {
  const { root } = findInstallation();
  // Tried beside the state folder, which is not to be made by looking.
  const beside = await mkdtemp(join(await nearestExisting(state), '.longrun-doctor-'));
  try {
    const isolation = await Isolation.find({
      user: readWorkerConfiguration(environment).trainerUser,
      stateFolder: beside,
      code: [root],
    });
    return isolation.user === null ? note(isolation.sentence) : ok(isolation.sentence);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

async function memoryLimit(): Promise<Finding> {
  const groups = ControlGroups.find();
  return typeof groups === 'string'
    ? note(`the memory of children is watched, not limited by the kernel: no control groups can be made (${groups})`)
    : ok('the kernel limits the memory of children, by control groups (cgroup v2)');
}

function environmentHidden(): Finding {
  return hideEnvironment()
    ? ok('variables of services are hidden from processes of the same user')
    : note('processes of the same user can read the variables of services (/proc/<pid>/environ)');
}

async function redis(environment: Environment): Promise<Finding> {
  if ((environment['REDIS_URL'] ?? '').trim() === '') return ok('none is set; `longrun up` starts its own');
  const { REDIS_URL, LONGRUN_REDIS_PREFIX } = readVariables(
    { REDIS_URL: variables.REDIS_URL, LONGRUN_REDIS_PREFIX: variables.LONGRUN_REDIS_PREFIX },
    environment,
  );
  const fault = await redisFault(REDIS_URL, { prefix: LONGRUN_REDIS_PREFIX, timeoutMs: REDIS_WITHIN_MS });
  return fault === undefined ? ok('the one of REDIS_URL serves') : failed(`the one of REDIS_URL: ${fault}`);
}

const REDIS_WITHIN_MS = 10_000;

async function objects(environment: Environment): Promise<Finding> {
  if ((environment['LONGRUN_OBJECTS'] ?? '').trim() === '') return ok('none is set; they lie in the state folder');
  const { LONGRUN_OBJECTS } = variables;
  const { objectsUrl } = places({ LONGRUN_STATE: '.', ...readVariables({ LONGRUN_OBJECTS }, environment) });
  const notes: string[] = [];
  const fault = await objectStoreFault(objectsUrl, (sentence) => notes.push(sentence));
  // The URL is in the fault, without what may be secret in it.
  if (fault !== undefined) return failed(`${fault}; check LONGRUN_OBJECTS`);
  return notes.length === 0 ? ok(`${objectsUrl} serves`) : note(notes.join('; '));
}

async function nearestExisting(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return path;
  if (found !== undefined) throw new ConfigurationError(`${path} is not a folder; give another --state`);
  return await nearestExisting(dirname(path));
}
