import { expect, test } from 'vitest';

import { logLine } from './log-line.js';

test('what a sentence quotes can neither act on a terminal nor pass for a line of its own', () => {
  expect(logLine('worker-gpu: exp_1: ended: \x1B[2Jgone\nworker-gpu: ready')).toBe(
    'worker-gpu: exp_1: ended: \\x1b[2Jgone\n    worker-gpu: ready\n',
  );
});
