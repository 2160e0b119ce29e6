import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { ForeignFolder, Outputs } from './outputs.js';

let folder = '';
let outputs: Outputs;
beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'longrun-outputs-')), 'outputs');
  outputs = await Outputs.open(folder);
});
afterEach(() => rm(path.dirname(folder), { recursive: true }));

describe('an output', () => {
  test('is added to, replaced and read, as text or as bytes', async () => {
    const output = outputs.output('samples.csv');
    expect([output.exists, output.readText()]).toEqual([false, '']);
    output.append('é\n');
    output.append(Uint8Array.of(0xff));
    expect(output.read()).toEqual(Buffer.from([0xc3, 0xa9, 0x0a, 0xff]));
    output.write('new');
    output.append('er');

    expect([output.readText(), output.sizeBytes]).toEqual(['newer', 5]);
    expect(await readFile(path.join(folder, 'samples.csv'), 'utf8')).toBe('newer');
    expect(outputs.output('samples.csv')).toBe(output);
    output.remove();
    expect([output.exists, output.sizeBytes, outputs.names]).toEqual([false, 0, []]);
  });

  test('stays what it was at a capture, whatever is written after it', async () => {
    const output = outputs.output('log');
    output.append('one');
    const [captured] = outputs.capture();
    if (captured === undefined) throw new Error('nothing was captured');
    output.append('two');
    output.write('three');
    output.append('four');
    const copy = path.join(path.dirname(folder), 'copy');

    expect(await captured.copyTo(copy)).toMatchObject({ sizeBytes: 3 });
    captured.close();
    expect(await readFile(copy, 'utf8')).toBe('one');
    expect(output.readText()).toBe('threefour');
  });

  test('is put back from a file that is read-only, and is written to as before', async () => {
    const saved = path.join(path.dirname(folder), 'saved');
    await writeFile(saved, 'one');
    await chmod(saved, 0o444);
    await outputs.restore([{ name: 'log', path: saved, sizeBytes: 3 }]);
    // Root may write whatever its mode is.
    expect((await stat(path.join(folder, 'log'))).mode & 0o200).toBe(0o200);
    outputs.output('log').append('two');
    expect(outputs.output('log').readText()).toBe('onetwo');
    expect(await readFile(saved, 'utf8')).toBe('one');
  });

  test('that something else has cut short is not saved as if it were whole', async () => {
    outputs.output('log').append('three');
    const [captured] = outputs.capture();
    await writeFile(path.join(folder, 'log'), 'on');

    await expect(captured?.copyTo(path.join(path.dirname(folder), 'copy'))).rejects.toThrow(
      'Output log had 5 bytes but 2 could be read; something besides its handle has changed the file',
    );
    captured?.close();
  });

  test('that cannot be written is as it was before', async () => {
    const output = outputs.output('log');
    outputs.output('other').write('makes the folder');
    await symlink('/dev/full', path.join(folder, 'log'));

    expect(() => output.append('three')).toThrow('ENOSPC');
    expect([output.exists, outputs.names]).toEqual([false, ['other']]);
    output.append('three');
    expect(output.readText()).toBe('three');
    await mkdir(path.join(folder, '.log.new'));
    expect(() => output.write('four')).toThrow('EISDIR');
    expect(output.readText()).toBe('three');
  });
});

describe('outputs', () => {
  test.each(['', '.hidden', '../up', 'a/b', 'a b', 'ä', 'x'.repeat(194)])('are not named "%s"', (name) => {
    expect(() => outputs.output(name)).toThrow(
      'give a plain file name of at most 193 characters from A-Z a-z 0-9 . _ - that starts with no dot',
    );
  });

  test('are bounded in number and in size', async () => {
    const few = await Outputs.open(folder, { maxFiles: 2, maxSizeBytes: 10 });
    const [first, second] = [few.output('x'.repeat(193)), few.output('b')];
    expect(() => few.output('c')).toThrow('output c: there are 2 outputs, and there may be no more');
    first.write('123456');
    second.append('1234');

    expect(() => second.append('5')).toThrow(
      'output b: with 5 bytes in it the outputs would have 11, and may have 10; write less, or replace what was written',
    );
    first.write('1');
    second.append('5');
    expect([first.sizeBytes, second.sizeBytes]).toEqual([1, 5]);
    expect([outputs.maxFiles, outputs.maxSizeBytes]).toEqual([100, 2 ** 30]);
  });

  test('make no folder before something is written', async () => {
    outputs.output('log');
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
    outputs.output('log').append('');
    expect((await readdir(folder)).toSorted()).toEqual(['.longrun-outputs', 'log']);
  });

  test('begin without what an earlier run left', async () => {
    outputs.output('log').append('one');
    await writeFile(path.join(folder, '.log.new'), 'half');
    const next = await Outputs.open(folder);

    expect(next.names).toEqual([]);
    expect(await readdir(folder)).toEqual(['.longrun-outputs']);
    expect(next.output('log').exists).toBe(false);
  });

  test('do not touch a folder with other things in it', async () => {
    await mkdir(folder);
    await writeFile(path.join(folder, 'thesis.tex'), 'years of work');

    await expect(Outputs.open(folder)).rejects.toThrow(ForeignFolder);
    await expect(Outputs.open(folder)).rejects.toThrow(
      `${folder} has files that are not outputs of a run, which would be removed; give an empty folder for outputs`,
    );
    expect(await readFile(path.join(folder, 'thesis.tex'), 'utf8')).toBe('years of work');
  });
});
