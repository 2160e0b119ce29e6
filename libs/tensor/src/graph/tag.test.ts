import { expect, test } from 'vitest';

import { Tag, tagKey } from '../index.js';

test('an entry is found under its own key only, even where another key has the same name', () => {
  const [roles, namesake] = [tagKey<string[]>('roles'), tagKey<string[]>('roles')];
  const tag = new Tag();
  tag.set(roles, ['WEIGHT']);
  expect(tag.get(roles)).toEqual(['WEIGHT']);
  expect(tag.has(namesake)).toBe(false);
  expect(tag.delete(roles)).toBe(true);
  expect(tag.get(roles)).toBeUndefined();
});

test('assign copies entries and replaces those under the same key', () => {
  const [name, count] = [tagKey<string>('name'), tagKey<number>('count')];
  const [tag, other] = [new Tag(), new Tag()];
  tag.set(name, 'old');
  tag.set(count, 1);
  other.set(name, 'new');
  tag.assign(other);
  other.set(name, 'newer');
  expect([tag.get(name), tag.get(count)]).toEqual(['new', 1]);
});
