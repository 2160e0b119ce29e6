import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

import { Configuration, ConfigurationError } from '@longrun/fuel';
import { RandomStreams } from '@longrun/serialization';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';

import { tinyExperiment } from '../../test/tiny-experiment.js';
import { Linear } from '../bricks/linear.js';
import { IsotropicGaussian } from '../initialization/isotropic-gaussian.js';
import { MainLoop } from '../main-loop/main-loop.js';
import { saveSnapshot } from '../snapshot/snapshot-folder.js';
import { BlocksConfiguration, config } from './config.js';

let home = '';
beforeAll(() => void (home = mkdtempSync(join(tmpdir(), 'blocksrc-'))));
afterAll(() => rmSync(home, { recursive: true }));
afterEach(() => void vi.unstubAllEnvs());

function blocksrc(text: string, environment: Record<string, string> = {}): BlocksConfiguration {
  writeFileSync(join(home, '.blocksrc'), text);
  return new BlocksConfiguration({ home, environment });
}

test('1.17-02, 1.17-06, 1.17-08 to 1.17-12: the file of the original, with defaults for what it leaves out', () => {
  const set = blocksrc(
    'default_seed: 3\nrecursion_limit: 10000\nprofile: true\nlog_backend: sqlite\nsqlite_database: ~/log.sqlite\nmax_blob_size: 9\ntemp_dir: /tmp/blocks\n',
  );

  expect([set.defaultSeed, set.profile, set.logBackend, set.maxBlobSize]).toEqual([3, true, 'sqlite', 9]);
  expect([set.sqliteDatabase, set.tempDir]).toEqual([join(homedir(), 'log.sqlite'), '/tmp/blocks']);
  const unset = blocksrc('');
  expect([unset.defaultSeed, unset.profile, unset.logBackend, unset.maxBlobSize]).toEqual([1, false, 'python', 4096]);
  expect([unset.sqliteDatabase, unset.tempDir]).toEqual([join(homedir(), 'blocks_log.sqlite'), null]);
});

test('1.17-13 to 1.17-16: a variable goes before the file, what the program sets before both, and BLOCKS_CONFIG names another file', () => {
  const other = join(home, 'other.yaml');
  writeFileSync(other, 'default_seed: 7\nprofile: true\ntemp_dir: null\n');
  const given = blocksrc('default_seed: 3', {
    BLOCKS_CONFIG: other,
    BLOCKS_PROFILE: 'False',
    BLOCKS_SQLITEDB: '/logs/all.sqlite',
    BLOCKS_TEMPDIR: '/fast',
  });

  expect([given.defaultSeed, given.profile, given.sqliteDatabase, given.tempDir]).toEqual([
    7,
    false,
    '/logs/all.sqlite',
    '/fast',
  ]);
  given.profile = true;
  given.tempDir = null;
  expect([given.profile, given.tempDir]).toEqual([true, null]);
});

test.each([
  ['log_backend: redis', /log_backend in .*\.blocksrc is "redis", which is not python, a log in memory, or sqlite/],
  ['log_backend: [1', /\.blocksrc is not YAML/],
  [
    'logbackend: sqlite',
    /sets logbackend, which there is not; there are bokeh_server, default_seed, log_backend, max_blob_size, /,
  ],
])('1.17-01: %j is refused', (text, message) => {
  expect(() => blocksrc(text).logBackend).toThrow(ConfigurationError);
  expect(() => blocksrc(text).logBackend).toThrow(message);
});

test('1.17-03: keys can be added', () => {
  const mine = blocksrc('speed: 3');
  const speed = {
    key: 'speed',
    read: (value: unknown) => (typeof value === 'number' ? value : undefined),
    what: 'a number',
  };
  mine.addConfig(speed);

  expect(mine).toBeInstanceOf(Configuration);
  expect(mine.valueOf(speed)).toBe(3);
});

test('default_seed is the seed of a brick that is given no random streams', async () => {
  vi.stubEnv('BLOCKS_CONFIG', join(home, 'seed.yaml'));
  writeFileSync(join(home, 'seed.yaml'), 'default_seed: 5\n');
  const bricks = [1, 2].map(
    () => new Linear({ inputDim: 2, outputDim: 2, weightsInit: new IsotropicGaussian(1), useBias: false }),
  );
  bricks[0]?.initialize();
  bricks[1]?.initialize(new RandomStreams(5));
  const [byDefault, given] = await Promise.all(bricks.map(async (brick) => await brick.parameterNamed('W').getValue()));

  expect(byDefault).toEqual(given);
});

test('log_backend and sqlite_database are those of a main loop that is given no log', async () => {
  const file = join(home, 'log.sqlite');
  vi.stubEnv('BLOCKS_CONFIG', join(home, 'log.yaml'));
  writeFileSync(join(home, 'log.yaml'), `log_backend: sqlite\nsqlite_database: ${file}\n`);
  await tinyExperiment({ epochs: 1 }).run();
  expect(existsSync(file)).toBe(true);

  const { algorithm, dataStream } = tinyExperiment({ epochs: 1 });
  expect(new MainLoop({ algorithm, dataStream, logBackend: 'python', engine: 'reference' }).log.constructor.name).toBe(
    'TrainingLog',
  );
});

test('temp_dir is where a snapshot is made before it appears in its place', async () => {
  const [temporary, parent] = [join(home, 'temporary'), join(home, 'snapshots')];
  vi.stubEnv('BLOCKS_TEMPDIR', temporary);
  const lying: string[] = [];
  const onWritten = (file: string): void => void lying.push(file);
  const mainLoop = tinyExperiment();
  const { folder } = await saveSnapshot(mainLoop, parent, { isHandedOver: true, onWritten });

  expect(lying.length).toBeGreaterThan(2);
  expect(lying.filter((file) => !file.startsWith(join(temporary, 'step-000000000000-')))).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
  expect(readdirSync(folder).toSorted()).toEqual(['algorithm.safetensors', 'parameters.safetensors', 'state.json']);
  expect(config.tempDir).toBe(temporary);
});
