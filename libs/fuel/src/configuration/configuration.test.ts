import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { ConfigurationError } from '../errors.js';
import { FuelConfiguration } from './config.js';
import { Configuration } from './configuration.js';
import { findInDataPath } from './find-in-data-path.js';

let home: string;
beforeAll(() => void (home = mkdtempSync(join(tmpdir(), 'fuelrc-'))));
afterAll(() => rmSync(home, { recursive: true }));

function fuelrc(text: string, environment: Record<string, string> = {}): FuelConfiguration {
  writeFileSync(join(home, '.fuelrc'), text);
  return new FuelConfiguration({ home, environment });
}

test('2.9-03, 2.9-16 to 2.9-21: the file of the original, with defaults for what it leaves out', () => {
  const config = fuelrc(
    'data_path: [/data, ~/more]\nlocal_data_path: ~/fast\nextra_converters: [mine]\nfloatX: float32\n',
  );

  expect(config.dataPath).toEqual(['/data', join(homedir(), 'more')]);
  expect(config.localDataPath).toBe(join(homedir(), 'fast'));
  expect(config.extraConverters).toEqual(['mine']);
  expect(config.extraDownloaders).toEqual([]);
  expect(config.floatX).toBe('float32');
  expect(config.defaultSeed).toBe(1);
  expect(fuelrc('data_path: /a:/b\ndefault_seed: 0').dataPath).toEqual(['/a', '/b']);
  expect(fuelrc('default_seed: 0').defaultSeed).toBe(0);
  expect(fuelrc('').defaultSeed).toBe(1);
});

test('2.9-22 to 2.9-27: a variable goes before the file, what the program sets before both, and FUEL_CONFIG names another file', () => {
  const other = join(home, 'other.yaml');
  writeFileSync(other, 'default_seed: 7\n');
  const config = fuelrc('data_path: /file\nfloatX: float64\ndefault_seed: 3', {
    FUEL_DATA_PATH: '/one:~/two',
    FUEL_LOCAL_DATA_PATH: '/fast',
    FUEL_EXTRA_DOWNLOADERS: 'a  b',
    FUEL_EXTRA_CONVERTERS: 'c',
    FUEL_FLOATX: 'float32',
    FUEL_CONFIG: other,
  });

  expect(config.dataPath).toEqual(['/one', join(homedir(), 'two')]);
  expect([config.localDataPath, config.floatX, config.defaultSeed]).toEqual(['/fast', 'float32', 7]);
  expect([config.extraDownloaders, config.extraConverters]).toEqual([['a', 'b'], ['c']]);
  config.dataPath = ['/set'];
  expect(config.dataPath).toEqual(['/set']);
});

test.each([
  [
    'floatX: float16',
    (c: FuelConfiguration) => c.floatX,
    /floatX in .*\.fuelrc is "float16", which is not float32 or float64/,
  ],
  [
    'default_seed: [1]',
    (c: FuelConfiguration) => c.defaultSeed,
    /default_seed .* is \[1\], which is not a whole number/,
  ],
  ['data_pth: /data', (c: FuelConfiguration) => c.dataPath, /sets data_pth, which there is not; there are data_path, /],
  [
    '',
    (c: FuelConfiguration) => c.dataPath,
    /data_path is not set; set it in .*\.fuelrc, or the variable FUEL_DATA_PATH, to a list/,
  ],
  ['', (c: FuelConfiguration) => c.floatX, /floatX is not set/],
  ['a: [', (c: FuelConfiguration) => c.defaultSeed, /\.fuelrc is not YAML/],
  ['- a', (c: FuelConfiguration) => c.defaultSeed, /is not made of keys and values/],
])('2.6-02: %j is refused', (text, ask, message) => {
  expect(() => ask(fuelrc(text))).toThrow(ConfigurationError);
  expect(() => ask(fuelrc(text))).toThrow(message);
});

test('a file that FUEL_CONFIG names has to be there', () => {
  const config = fuelrc('', { FUEL_CONFIG: '/nowhere/fuelrc' });

  expect(new FuelConfiguration({ home: join(home, 'without'), environment: { FUEL_CONFIG: '' } }).defaultSeed).toBe(1);
  expect(() => config.defaultSeed).toThrow('/nowhere/fuelrc, which FUEL_CONFIG names: there is no such file');
});

test('2.9-04: keys can be added', () => {
  writeFileSync(join(home, '.minerc'), 'speed: 3');
  const mine = new Configuration({ file: '.minerc', fileVariable: 'MINE', home, environment: {} });
  const speed = {
    key: 'speed',
    read: (value: unknown) => (typeof value === 'number' ? value : undefined),
    what: 'a number',
  };

  expect(() => mine.valueOf(speed)).toThrow('sets speed, which there is not');
  mine.addConfig(speed);
  expect(mine.valueOf(speed)).toBe(3);
  mine.set(speed, 4);
  expect(mine.valueOf(speed)).toBe(4);
});

test('2.6-15: a file is found in the first folder that has it', () => {
  for (const folder of ['a', 'b']) mkdirSync(join(home, folder));
  mkdirSync(join(home, 'a', 'mnist.hdf5'));
  writeFileSync(join(home, 'b', 'mnist.hdf5'), '');
  const from = fuelrc('', { FUEL_DATA_PATH: `${join(home, 'a')}:${join(home, 'b')}` });

  expect(findInDataPath('mnist.hdf5', { from })).toBe(join(home, 'b', 'mnist.hdf5'));
  expect(() => findInDataPath('iris.hdf5', { from })).toThrow(/There is no iris.hdf5 in .*, the data_path; convert it/);
});
