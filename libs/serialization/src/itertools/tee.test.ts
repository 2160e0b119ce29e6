import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { StateMismatch } from '../state.js';
import { assertResumable } from './assert-resumable.js';
import { iterate } from './iterate.js';
import { map } from './map.js';
import { range } from './range.js';
import { tee } from './tee.js';
import { zip } from './zip.js';
import { islice } from './islice.js';
import { chain } from './chain.js';

test('3-39 each gives every item, which the source gave once, wherever they are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2), { maxLength: 40 }), fc.nat(40), (turns, cut) => {
      let asked = 0;
      const make = () =>
        tee(
          map((n: number) => {
            asked += 1;
            return n;
          }, range(8)),
          3,
        );
      const uncut = make();
      const come = turns.map((turn) => uncut[turn]?.next().value);
      expect(asked).toBe(
        Math.min(8, Math.max(0, ...[0, 1, 2].map((one) => turns.filter((turn) => turn === one).length))),
      );

      let iterators = make();
      const cutCome = turns.map((turn, step) => {
        if (step === cut) {
          const states = iterators.map((iterator) => JSON.stringify(iterator.state()));
          iterators = make();
          // In any order: they share a source.
          for (const [index, state] of [...states.entries()].toReversed()) iterators[index]?.restore(JSON.parse(state));
        }
        return iterators[turn]?.next().value;
      });
      expect(cutCome).toEqual(come);
    }),
    { numRuns: 60 },
  );
});

test('3-39 a pipeline around tee resumes, one iterator before or behind the other', async () => {
  await assertResumable(() => {
    const [a = iterate<number>([]), b = iterate<number>([])] = tee(range(9));
    return zip(a, islice(b, 2, null));
  });
  await assertResumable(() => chain(...tee('abc')));
});

test('3-39 what all have given is not kept', () => {
  const [a, b] = tee(range(1e6));
  for (let step = 0; step < 1000; step += 1) {
    a?.next();
    b?.next();
  }
  expect(a?.state()).toMatchObject({ position: 1000, source: { position: 1000 } });
});

test('3-39 positions that the source does not reach are refused', () => {
  const [a, b] = tee('abc');
  a?.restore({ ...a.state(), position: 7 });
  expect(() => b?.next()).toThrow(StateMismatch);
  expect(() => b?.next()).toThrow('tee: an iterator was saved at item 7, but the source has 3');
});
