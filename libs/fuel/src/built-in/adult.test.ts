import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { dense } from '../../test/toy.js';
import { H5Dataset } from '../datasets/h5-dataset.js';
import { CorruptInput } from '../errors.js';
import { adult } from './adult.js';

const TRAIN = `39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, Male, 2174, 0, 40, Peru, <=50K
50, Private, 83311, Masters, 14, Divorced, Sales, Husband, Black, Female, 0, 7, 13, Cuba, >50K
18, ?, 9, HS-grad, 9, Widowed, Tech-support, Wife, Other, Male, 0, 0, 40, Haiti, >50K

`;
const TEST = `|1x3 Cross validator
25, Private, 226802, 11th, 7, Divorced, Sales, Husband, White, Male, 0.5, 0, 40, Cuba, >50K.

`;

async function files(texts: { readonly train?: string; readonly test?: string }): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'adult.data'), texts.train ?? TRAIN);
  await writeFile(join(folder, 'adult.test'), texts.test ?? TEST);
  return folder;
}

test('2.1-01, 2.7-09, 2.7-10: columns of words are in the order of the alphabet, and the same in both splits', async () => {
  const folder = await files({});
  await mkdir(join(folder, 'out'));
  const path = join(folder, 'out', 'adult.hdf5');

  const description = await adult.convert(folder, path, {});

  expect(description).toMatchObject({
    sources: [
      { name: 'features', dtype: 'float64', shape: [3, 23], axisLabels: ['batch', 'feature'] },
      { name: 'targets', dtype: 'bool', shape: [3, 1], axisLabels: ['batch', 'index'] },
    ],
    splits: [
      { name: 'train', examplesCount: 2 },
      { name: 'test', examplesCount: 1 },
    ],
  });
  const all = await H5Dataset.open(path, { whichSets: ['train', 'test'], loadInMemory: true });
  const batch = await all.getData({ start: 0, stop: 3 });
  // age, workclass Private State-gov, fnlwgt, education 11th Bachelors Masters, its years, Divorced Never-married, Adm-clerical Sales,
  // Husband Not-in-family, Black White, Female Male, gain, loss, hours, Cuba Peru
  expect(Array.from(dense(batch, 'features').data, Number)).toEqual(
    [
      [39, 0, 1, 77516, 0, 1, 0, 13, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 2174, 0, 40, 0, 1],
      [50, 1, 0, 83311, 0, 0, 1, 14, 1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 0, 7, 13, 1, 0],
      [25, 1, 0, 226802, 1, 0, 0, 7, 1, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0.5, 0, 40, 1, 0],
    ].flat(),
  );
  expect(dense(batch, 'targets').data).toEqual(Uint8Array.of(0, 1, 1));
});

test.each([
  ['an attribute too few', TRAIN.replace('Peru, ', ''), /line 1 is "39, State-gov/],
  ['a word for a number', TRAIN.replace('13, Cuba', 'many, Cuba'), /line 2 is/],
  ['another end', TRAIN.replace('>50K', '>60K'), /line 2 is/],
  ['no lines', '', /has no lines/],
])('%s is refused, and nothing is left behind', async (_why, train, problem) => {
  const folder = await files({ train });

  const error = await adult.convert(folder, join(folder, 'out.hdf5'), {}).catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(CorruptInput);
  expect(error).toMatchObject({ path: join(folder, 'adult.data'), message: expect.stringMatching(problem) });
  expect((await readdir(folder)).toSorted()).toEqual(['adult.data', 'adult.test']);
});
