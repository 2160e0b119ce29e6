import { expect, test, vi } from 'vitest';

import { newestStage, sayStage } from './stage.js';

test('the stage that was said last is the newest, whatever else is printed', () => {
  let printed = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  expect(newestStage(printed)).toBeUndefined();
  sayStage('loading code');
  process.stdout.write('{"level":"log","message":"longrun-stage: no stage"}\n');
  expect(newestStage(printed)).toBe('loading code');
  sayStage('opening the record');
  process.stdout.write('a line without an end');
  write.mockRestore();
  expect(newestStage(printed)).toBe('opening the record');
});
