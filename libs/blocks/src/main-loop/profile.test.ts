import { expect, test, vi } from 'vitest';

import { tinyExperiment } from '../../test/tiny-experiment.js';
import { TrainingExtension } from '../extensions/training-extension.js';
import { Profile, Timer } from './profile.js';

test('1.18-09 to 1.18-13: sections are nested, summed up, and printed with their part of all', async () => {
  let now = 0;
  const profile = new Profile(() => now);
  const wait = async (ms: number): Promise<number> => {
    now += ms;
    return ms;
  };
  for (const ms of [20, 30]) {
    profile.enter('epoch');
    expect(await new Timer('train', profile).time(async () => await wait(ms))).toBe(ms);
    await wait(25);
    profile.exit();
  }
  const failing = new Timer('save', profile).time(
    async () => await wait(100).then(() => Promise.reject(new Error('full'))),
  );
  await expect(failing).rejects.toThrow('full');
  const written: string[] = [];
  profile.report((text) => void written.push(text));

  expect([profile.totalMs('epoch'), profile.totalMs('epoch', 'train'), profile.totalMs('none', 'such')]).toEqual([
    100, 50, 0,
  ]);
  expect(() => profile.exit()).toThrow('exit() without enter()');
  expect(written).toEqual([
    [
      'Section    seconds   of all     calls   ms a call',
      'epoch        0.100   50.0 %         2      50.000',
      '  train      0.050   25.0 %         2      25.000',
      '  other      0.050   25.0 %',
      'save         0.100   50.0 %         1     100.000',
      '',
    ].join('\n'),
  ]);
});

test('1.17-08: a main loop prints where its time went, where the configuration asks for it, also when it fails', async () => {
  class FailsAfter extends TrainingExtension {
    override afterEpoch(): void {
      if (this.mainLoop.status.epochsDone === 2) throw new Error('enough');
    }
  }
  const written: string[] = [];
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  vi.stubEnv('BLOCKS_PROFILE', '1');
  try {
    await expect(tinyExperiment({ extensions: [new FailsAfter()] }).run()).rejects.toThrow('enough');
    vi.stubEnv('BLOCKS_PROFILE', '0');
    await tinyExperiment({ epochs: 1 }).run();
  } finally {
    spy.mockRestore();
    vi.unstubAllEnvs();
  }

  expect(written).toHaveLength(2);
  const rows = new Map(
    written[0]?.split('\n').map((line) => [line.slice(0, 36).replace(/ +[\d.]*$/, ''), line] as const),
  );
  expect([...rows.keys()]).toEqual(
    expect.arrayContaining([
      'initialization',
      'training',
      '  epoch',
      '    read_data',
      '    train',
      '    afterBatch',
      '      Batch',
      '    afterEpoch',
      '      FailsAfter',
    ]),
  );
  expect(written[1]).toMatch(
    /^\n[\d.]+ ms a run, on average of 3\nBrick .*\n\/mlp .*\n {2}\/linear_0 .*\n {2}\/linear_1 (.*\n)+\(step rule\) /,
  );
  expect(rows.get('    train')).toMatch(/ 12 +[\d.]+$/);
});
