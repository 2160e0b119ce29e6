import { expect, test } from 'vitest';

import { SharedLooks } from './shared-looks.js';

test('who asks while a look runs shares the next one, which begins after it asked, with all others', async () => {
  let value = 0;
  let looks = 0;
  const shared = new SharedLooks(async (key) => {
    looks += 1;
    const seen = value;
    await Promise.resolve();
    return `${key} ${seen}`;
  });
  const first = shared.look('a');
  value = 1;
  const others = [shared.look('a'), shared.look('a'), shared.look('b')];
  expect(await first).toBe('a 0');
  expect(await Promise.all(others)).toEqual(['a 1', 'a 1', 'b 1']);
  expect(looks).toBe(3);
  value = 2;
  expect(await shared.look('a')).toBe('a 2');
});

test('a look that fails fails for those who share it, and for nobody after them', async () => {
  let fails = true;
  const shared = new SharedLooks(async () => {
    await Promise.resolve();
    if (fails) throw new Error('the record is away');
    return 'there';
  });
  const first = shared.look('a');
  const second = shared.look('a').finally(() => (fails = false));
  await expect(first).rejects.toThrow('the record is away');
  await expect(second).rejects.toThrow('the record is away');
  expect(await shared.look('a')).toBe('there');
});
