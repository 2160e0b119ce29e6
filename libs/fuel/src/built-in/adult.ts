import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ndarray } from '@longrun/serialization';
import { z } from 'zod';
import { writeSplits } from '../converters/write-splits.js';
import { CorruptInput } from '../errors.js';
import { builtInDataset } from './built-in-dataset.js';

/**
 * Adult (Kohavi, 1996): who earns more than 50,000 dollars a year, by a census: `features` (45222, 104) float64, `targets` (45222, 1) bool, with
 * the splits `train` 30162 and `test` 15060 (Fuel: `adult`). People of whom something is not known are left out.
 *
 * Six of the 14 attributes are numbers; each of the others takes a column for each value that somebody in either file has, in the order of
 * the alphabet, and one of them is 1. A column means the same in both splits.
 */
export const adult = builtInDataset({
  name: 'adult',
  version: 1,
  params: z.strictObject({}),
  requiredFiles: () => Object.values(FILES),
  outputName: () => 'adult.hdf5',
  defaultTransformers: [],
  loadInMemory: true,
  write: async (inputFolder, outputPath, { command, onProgress, signal }) => {
    const files = await Promise.all(
      Object.entries(FILES).map(async ([split, { name }]) => {
        const file = join(inputFolder, name);
        return { split, file, people: await readPeople(file) };
      }),
    );
    const columns = columnsOf(files.flatMap(({ people }) => people));
    const width = columns.reduce((sum, { values }) => sum + values.length, 0);
    const count = files.reduce((sum, { people }) => sum + people.length, 0);
    const splits = files.map(({ split, file, people }) => ({
      name: split,
      file,
      batches: () => [
        {
          features: ndarray('float64', [people.length, width], featuresOf(people, columns, width)),
          targets: ndarray(
            'bool',
            [people.length, 1],
            Uint8Array.from(people, ({ earnsMore }) => (earnsMore ? 1 : 0)),
          ),
        },
      ],
    }));
    return await writeSplits(outputPath, splits, {
      axisLabels: { features: ['batch', 'feature'], targets: ['batch', 'index'] },
      command,
      totalBytes: count * (8 * width + 1),
      onProgress,
      signal,
    });
  },
});

const FOLDER = 'https://archive.ics.uci.edu/ml/machine-learning-databases/adult';
const FILES = {
  train: {
    name: 'adult.data',
    sha256: '5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d',
    urls: [`${FOLDER}/adult.data`],
  },
  test: {
    name: 'adult.test',
    sha256: 'a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05',
    urls: [`${FOLDER}/adult.test`],
  },
} as const;
/** Age, workclass, fnlwgt, education, education-num, marital-status, occupation, relationship, race, sex, capital-gain, capital-loss, hours-per-week, native-country. */
const ATTRIBUTES = 14;
const NUMBERS: ReadonlySet<number> = new Set([0, 2, 4, 10, 11, 12]);
const UNKNOWN = '?';
/** Of a file of 4 MB. */
const MOST_BYTES = 2 ** 26;

interface Person {
  readonly attributes: readonly string[];
  readonly earnsMore: boolean;
}

async function readPeople(path: string): Promise<Person[]> {
  const { size } = await stat(path);
  if (size > MOST_BYTES) throw new CorruptInput(path, `has ${size} bytes, but it has 4 million; download it again`);
  const people: Person[] = [];
  for (const [index, line] of (await readFile(path, 'utf8')).split('\n').entries()) {
    // The file of the test begins with a line about itself.
    if (line.trim() === '' || line.startsWith('|')) continue;
    const fields = line.trim().split(', ');
    const attributes = fields.slice(0, -1);
    // Only in the file of the test, a full stop follows.
    const [, more] = /^(>50K|<=50K)\.?$/.exec(fields.at(-1) ?? '') ?? [];
    const isKnown = !attributes.includes(UNKNOWN);
    const wrong = attributes.some((text, at) => NUMBERS.has(at) && text !== UNKNOWN && !/^\d+(\.\d+)?$/.test(text));
    if (more === undefined || attributes.length !== ATTRIBUTES || wrong) {
      throw new CorruptInput(
        path,
        `line ${index + 1} is ${JSON.stringify(line.slice(0, 60))}, but ${ATTRIBUTES} attributes and one of >50K, <=50K are expected, with a comma and a space between them; download it again`,
      );
    }
    if (isKnown) people.push({ attributes, earnsMore: more === '>50K' });
  }
  if (people.length === 0) throw new CorruptInput(path, 'has no lines; download it again');
  return people;
}

/** What an attribute becomes: one column with its number, or one for each of its values. */
interface Columns {
  readonly at: number;
  readonly values: readonly (string | null)[];
}

function columnsOf(people: readonly Person[]): Columns[] {
  return Array.from({ length: ATTRIBUTES }, (_, at) => {
    if (NUMBERS.has(at)) return { at, values: [null] };
    return { at, values: [...new Set(people.map(({ attributes }) => attributes[at] ?? ''))].toSorted() };
  });
}

function featuresOf(people: readonly Person[], columns: readonly Columns[], width: number): Float64Array {
  const features = new Float64Array(people.length * width);
  let place = 0;
  for (const { attributes } of people) {
    for (const { at, values } of columns) {
      const text = attributes[at] ?? '';
      for (const value of values) {
        features[place] = value === null ? Number(text) : value === text ? 1 : 0;
        place += 1;
      }
    }
  }
  return features;
}
