import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { drain, elements } from '../../test/toy.js';
import type { DataStream } from '../streams/data-stream.js';
import { drawnExamples, type DrawnExamples } from './drawn-examples.js';

function drawn(options: Partial<DrawnExamples> = {}): DataStream {
  return drawnExamples({
    sources: ['dice'],
    examplesCount: 7,
    batchSize: 3,
    seed: 1,
    stage: 'train',
    draw: (random) =>
      new Map([['dice', ndarray('int32', [2], Int32Array.of(random.integer(1000), random.integer(1000)))]]),
    ...options,
  });
}

async function epochs(stream: DataStream): Promise<number[][][]> {
  const first = elements(await drain(stream), 'dice');
  await stream.nextEpoch();
  return [first, elements(await drain(stream), 'dice')];
}

test('each epoch has as many examples, drawn anew, or the same ones', async () => {
  const [first = [], second = []] = await epochs(drawn());
  const [same, again] = await epochs(drawn({ isRenewed: false }));

  expect([first, second].map((epoch) => epoch.map((batch) => batch.length))).toEqual([
    [6, 6, 2],
    [6, 6, 2],
  ]);
  expect(new Set([...first, ...second].flat()).size).toBeGreaterThan(20);
  expect([same, again]).toEqual([first, first]);
  expect(drawn().batchesPerEpoch).toBe(3);
});

test('they depend on seed and stage', async () => {
  const [first] = await epochs(drawn());
  const others = [await epochs(drawn({ seed: 2 })), await epochs(drawn({ stage: 'test' }))];

  for (const [other] of others) expect(other).not.toEqual(first);
});

test('a stream goes on from the middle of an epoch with what would have come', async () => {
  const stream = drawn();
  await drain(stream);
  await stream.nextEpoch();
  await stream.next();
  const successor = drawn();
  successor.restore(stream.state());

  expect(elements(await drain(successor), 'dice')).toEqual(elements(await drain(stream), 'dice'));
});
