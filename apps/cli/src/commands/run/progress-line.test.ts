import { expect, test } from 'vitest';

import { Terminal } from '../../output/terminal.js';
import { ProgressLine, progressText } from './progress-line.js';

const progress = { step: 135, epoch: 1, stepsPerEpoch: 94, totalSteps: 282, stepsPerSecond: 81.25 };

test('says how far training is, and leaves out what is not known', () => {
  expect(progressText(progress, 0.41234)).toBe(
    'epoch 2 of 3, batch 41 of 94, 47 %, 81.3 batches/s, ETA 1.8 s, cost 0.4123',
  );
  expect(progressText({ ...progress, totalSteps: null, stepsPerSecond: 0 }, undefined)).toBe('epoch 2, batch 41 of 94');
  expect(progressText({ ...progress, stepsPerEpoch: null, totalSteps: null }, undefined)).toBe(
    'epoch 2, batch 135, 81.3 batches/s',
  );
});

test('an epoch that has just ended is the present one', () => {
  expect(progressText({ ...progress, step: 188, epoch: 2, stepsPerSecond: 0 }, undefined)).toBe(
    'epoch 2 of 3, batch 94 of 94, 66 %',
  );
});

test('changes in place on a terminal, and is a line every few seconds elsewhere', () => {
  const written = { terminal: '', file: '' };
  let now = 0;
  for (const where of ['terminal', 'file'] as const) {
    const terminal = new Terminal({
      writeResult: () => {},
      writeRemark: (text) => (written[where] += text),
      interactive: where === 'terminal',
      columns: () => 22,
    });
    const line = new ProgressLine(terminal, () => now);
    for (const step of [1, 2, 3]) {
      line.show({ ...progress, step, stepsPerSecond: 0 }, undefined);
      now += 4_000;
    }
    line.say('cost is NaN');
    line.end();
  }

  expect(written.file).toBe(
    ['epoch 1 of 3, batch 1 of 94, 0 %', 'epoch 1 of 3, batch 3 of 94, 1 %', 'cost is NaN', ''].join('\n'),
  );
  const drawn = [1, 2, 3].map((batch) => `\r\x1B[Kepoch 1 of 3, batch ${batch}`);
  expect(written.terminal).toBe(`${drawn.join('')}\r\x1B[Kcost is NaN\n`);
});
