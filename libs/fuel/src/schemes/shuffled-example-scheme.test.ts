import { RandomStreams } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { ShuffledExampleScheme } from './shuffled-example-scheme.js';

test('2.3-12: an epoch has every example once, in an order of its own', () => {
  const scheme = new ShuffledExampleScheme(30, { random: new RandomStreams(1).stream('order') });
  const order = (epoch: number) => Array.from({ length: 30 }, (_, position) => scheme.request(epoch, position));

  expect(new Set(order(0)).size).toBe(30);
  expect(order(0)).not.toEqual(order(1));
  expect(scheme.request(0, 30)).toBeUndefined();
  expect(scheme.requestsExamples).toBe(true);
});

test('listed examples are shuffled', () => {
  const scheme = new ShuffledExampleScheme([4, 9], { random: new RandomStreams(1).stream('order') });

  expect(new Set([scheme.request(0, 0), scheme.request(0, 1)])).toEqual(new Set([4, 9]));
});
