import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { bytesOfText, type Column } from '../arrays/column.js';
import { stackRows } from '../arrays/rows.js';
import { writeSplits } from '../converters/write-splits.js';
import { CorruptInput } from '../errors.js';
import { builtInDataset } from './built-in-dataset.js';

/**
 * Text files of one's own: `text`, uint8 (bytes) of UTF-8, ragged, a row for each file. The last part of each is in the split `test`, from the
 * beginning of a line on, what is before in `train`.
 */
export const text = builtInDataset({
  name: 'text',
  version: 1,
  params: z.strictObject({
    files: z
      .array(z.string().regex(/^[^/\\]+$/, 'a file lies in the folder itself'))
      .min(1, 'give at least one file')
      .default(['text.txt'])
      .meta({ description: 'Names of the files, in the order in which they become examples.' }),
    testShare: z
      .number()
      .gt(0, 'a test has something to be made on')
      .lt(1, 'training has something to be made on')
      .default(0.1)
      .meta({ description: 'Which part of each file is for tests, from 0 to 1.' }),
  }),
  requiredFiles: ({ files }) => files.map((name) => ({ name, urls: [] })),
  outputName: () => 'text.hdf5',
  defaultTransformers: [],
  loadInMemory: true,
  write: async (inputFolder, outputPath, { params, command, onProgress, signal }) => {
    const paths = params.files.map((name) => join(inputFolder, name));
    const parts: { readonly train: string; readonly test: string }[] = [];
    for (const path of paths) parts.push(divided(path, await readText(path), params.testShare));
    const totalBytes = parts.reduce((total, { train, test }) => total + Buffer.byteLength(train + test), 0);
    const splits = (['train', 'test'] as const).map((name) => ({
      name,
      file: paths.join(', '),
      batches: () => [{ text: rowsOfTexts(parts.map((part) => part[name])) }],
    }));
    return await writeSplits(outputPath, splits, {
      axisLabels: { text: ['batch', 'byte'] },
      ragged: ['text'],
      command,
      totalBytes,
      onProgress,
      signal,
    });
  },
});

function rowsOfTexts(texts: readonly string[]): Column {
  return stackRows(texts.map(bytesOfText), 'text');
}

async function readText(path: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CorruptInput(path, 'is not UTF-8; give it in that encoding', { cause: error });
  }
}

function divided(path: string, whole: string, testShare: number): { readonly train: string; readonly test: string } {
  const line = whole.indexOf('\n', Math.floor(whole.length * (1 - testShare)) - 1) + 1;
  if (line > 0 && line < whole.length) return { train: whole.slice(0, line), test: whole.slice(line) };
  throw new CorruptInput(path, `has no line that begins in the last ${testShare} of it; give a longer text`);
}
