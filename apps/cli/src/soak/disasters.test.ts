import { FAULT_POINTS, parseFaults } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { Disasters } from './disasters.js';

test('the same seed draws the same disasters, and another one others', () => {
  const draw = (seed: number): unknown[] => {
    const disasters = new Disasters(seed);
    return Array.from({ length: 50 }, () => [disasters.draw(), disasters.drawFaults('worker-gpu')]);
  };
  expect(draw(3)).toEqual(draw(3));
  expect(draw(3)).not.toEqual(draw(4));
});

test('each kind of disaster comes, and the faults can be read', () => {
  const disasters = new Disasters(1);
  const drawn = Array.from({ length: 200 }, () => disasters.draw().disaster);
  expect(new Set(drawn.map(({ kind }) => kind))).toEqual(new Set(['kill', 'stop', 'flush']));
  const faults = (['api', 'worker-gpu'] as const).flatMap((service) =>
    Array.from({ length: 400 }, () => parseFaults(disasters.drawFaults(service))),
  );
  expect(new Set(faults.flat().map(({ action }) => action.type))).toEqual(new Set(['kill', 'throw']));
  expect(new Set(faults.flat().map(({ point }) => point))).toEqual(new Set(Object.keys(FAULT_POINTS)));
  expect(faults.some((none) => none.length === 0)).toBe(true);
});
