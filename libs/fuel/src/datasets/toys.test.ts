import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { dense } from '../../test/toy.js';
import { Spiral } from './spiral.js';
import { SwissRoll } from './swiss-roll.js';

// Numbers of the original's expressions in NumPy 2.4. Sines of C libraries differ in the last bit of a float64.
const near = (values: readonly number[]): unknown => values.map((value) => expect.closeTo(value, 6));
const all = { start: 0, stop: 4 };

test('2.1-29: a spiral is that of the original', async () => {
  const batch = await new Spiral({ examplesCount: 4 }).getData(all);
  const noisy = new Spiral({ examplesCount: 5, classes: 3, cycles: 2, noise: 0.25, seed: 7 });
  const one = await noisy.getData({ start: 4, stop: 5 });

  expect(dense(batch, 'features')).toMatchObject({ dtype: 'float32', shape: [4, 2] });
  expect([...dense(batch, 'features').data]).toEqual(
    near([
      0.30449119210243225, -0.5301240682601929, -0.7994486093521118, -0.15081436932086945, 0.00023960083490237594,
      0.33340948820114136, 0.5062320232391357, -0.17272721230983734,
    ]),
  );
  expect(dense(batch, 'position').data).toEqual(
    Float64Array.of(0.417022004702574, 0.7203244934421581, 0.00011437481734488664, 0.30233257263183977),
  );
  expect(dense(batch, 'label')).toEqual(ndarray('int64', [4], BigInt64Array.of(0n, 0n, 0n, 0n)));
  expect([...dense(one, 'features').data]).toEqual(near([-1.2011946439743042, -1.5380688905715942]));
  expect(dense(await noisy.getData({ start: 0, stop: 5 }), 'label').data).toEqual(BigInt64Array.of(2n, 0n, 1n, 2n, 2n));
  expect(new Spiral().examplesCount).toBe(1000);
  expect(() => new Spiral({ classes: 0 })).toThrow(/classes is 0/);
});

test('2.1-30: a Swiss roll is that of the original', async () => {
  const batch = await new SwissRoll({ examplesCount: 4, noise: 0.25, seed: 3 }).getData(all);

  expect([...dense(batch, 'features').data].slice(0, 6)).toEqual(
    near([
      -0.6424546241760254, -0.47946983575820923, 0.7749393582344055, 0.18761944770812988, -1.073125958442688,
      1.0137418508529663,
    ]),
  );
  expect(dense(batch, 'position')).toEqual(
    ndarray(
      'float32',
      [4, 2],
      Float32Array.of(
        0.5507978796958923,
        0.7858939170837402,
        0.7081478238105774,
        0.7925862073898315,
        0.2909047305583954,
        -0.7488293647766113,
        0.5108276009559631,
        -0.58551424741745,
      ),
    ),
  );
  expect(() => new SwissRoll({ examplesCount: -1 })).toThrow(/examplesCount is -1/);
});
