import { expect, test } from 'vitest';
import { newMark } from '../processes/attempt-mark.js';
import { ProcessTree } from '../processes/process-tree.js';
import { until } from '../testing/until.js';
import { MemoryWatch } from './memory-watch.js';

test('looks that fail are said once, and the watch goes on', async () => {
  const said: string[] = [];
  let failures = 0;
  const tree = new ProcessTree(-1, newMark(), () => {
    if (failures === 2) return [process.pid];
    failures += 1;
    throw new Error('EMFILE: too many open files');
  });
  const watch = new MemoryWatch({
    tree,
    limitBytes: null,
    onBreach: () => {},
    say: (sentence) => said.push(sentence),
  });
  await until(() => watch.peakBytes > 0);
  await watch.stop();
  expect(failures).toBe(2);
  expect(said).toEqual(['Its memory could not be looked at, which is tried again: EMFILE: too many open files']);
});
