import { isAbsolute, join, relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type DatasetDescription, type DatasetProgress, type JsonObject, readValue, wordsOf } from '@longrun/contracts';
import {
  type Converter,
  converters,
  CorruptInput,
  describeH5Dataset,
  download,
  DownloadFailed,
  type FileProgress,
  H5Dataset,
  MissingInput,
  NotEnoughSpace,
} from '@longrun/fuel';
import { ParentLink } from '@longrun/platform/child';
import { ConverterAssignment, type ConverterFailure, type ConverterMessage } from './converter-messages.js';
import { InputChanged, RawInputs } from './raw-inputs.js';

/** The converter process: converts one dataset, as its worker says, and tells how it went. */
const parent = new ParentLink((message) => {
  void convert(ConverterAssignment.parse(message)).then(
    async (last) => await leave(last),
    async (error: unknown) => await leave({ type: 'failed', ...failureOf(error) }),
  );
});

async function convert(assignment: ConverterAssignment): Promise<ConverterMessage> {
  const converter = converters.get(assignment.converter);
  if (converter === undefined)
    throw new UnusableRequest(
      `There is no converter ${JSON.stringify(assignment.converter)}; this worker has ${[...converters.keys()].toSorted().join(', ')}.`,
    );
  const params = paramsOf(converter, assignment.params);
  at('fetching the raw files');
  const inputFolder = await rawFiles(converter, params, assignment);
  at('hashing the raw files');
  const inputs = await RawInputs.read(converter, params, inputFolder, reporting('hashing'));
  const { identity } = inputs;
  if (isDeepStrictEqual(identity, assignment.known)) return { type: 'unchanged' };
  at(`converting with ${converter.name}`);
  try {
    await converter.convert(inputFolder, assignment.outputPath, params, { onProgress: reporting('converting') });
  } finally {
    // What it made of them, or found wrong with them, is not to be told of files that were changed meanwhile.
    await inputs.checkUnchanged();
  }
  at('reading the result back');
  await readBack(assignment.outputPath);
  return { type: 'converted', description: await describe(converter, params, assignment.outputPath), identity };
}

/** The params of a request as this worker's converter reads them. The API, which has read them before, may be of another version. */
function paramsOf({ name, params: schema }: Converter, given: JsonObject): JsonObject {
  const read = readValue(schema, given);
  if (read.ok) return read.value;
  const sentences = read.faults
    .map((fault) => wordsOf(fault, 'params'))
    .map(({ detail, remedy }) => `${detail} ${remedy}`);
  throw new UnusableRequest(`The converter ${name} of this worker refuses its params: ${sentences.join(' ')}`);
}

/** The folder that has the raw files, downloaded first if the request says so. */
async function rawFiles(
  converter: Converter,
  params: JsonObject,
  { source, rawFolder, downloadFolder }: Pick<ConverterAssignment, 'source' | 'rawFolder' | 'downloadFolder'>,
): Promise<string> {
  if ('download' in source) {
    const { name } = converter;
    const requiredFiles = converter.requiredFiles(params);
    const keptFolder = join(rawFolder, name);
    await download({ name, requiredFiles }, downloadFolder, { keptFolder, onProgress: reporting('downloading') });
    return downloadFolder;
  }
  const folder = resolve(rawFolder, source.folder);
  const path = relative(rawFolder, folder);
  if (path.startsWith('..') || isAbsolute(path))
    throw new UnusableRequest(
      `The folder ${JSON.stringify(source.folder)} is not below ${rawFolder}, where raw files lie; put them there and name the folder.`,
    );
  return folder;
}

/** Opens the result as an experiment will, and reads the ends of each split: what cannot be read is not published. */
async function readBack(path: string): Promise<void> {
  const { splits } = await describeH5Dataset(path);
  for (const { name, examplesCount } of splits) {
    const dataset = await H5Dataset.open(path, { whichSets: [name] });
    try {
      for (const example of new Set([0, examplesCount - 1])) if (example >= 0) await dataset.getData(example);
      parent.moved();
    } finally {
      await dataset.close();
    }
  }
}

async function describe(converter: Converter, params: JsonObject, path: string): Promise<DatasetDescription> {
  const { sources, splits, attributes } = await describeH5Dataset(path);
  return {
    sources: sources.map(({ name, dtype, shape, ragged, axisLabels }) => ({
      name,
      dtype: dtype ?? 'unknown',
      shape: [...shape],
      ragged,
      axisLabels: axisLabels.length === 0 ? null : [...axisLabels],
    })),
    splits: Object.fromEntries(splits.map(({ name, examplesCount }) => [name, examplesCount])),
    attributes: {
      ...attributes,
      converter: converter.name,
      converterVersion: converter.version,
      ...(Object.keys(params).length > 0 && { params }),
    },
  };
}

/** Passes progress on, a few times a second for each file. */
function reporting(phase: DatasetProgress['phase']): (progress: FileProgress) => void {
  let last = { file: '', atMs: 0 };
  return ({ file, doneBytes, totalBytes }) => {
    parent.moved();
    const atMs = performance.now();
    if (file === last.file && atMs - last.atMs < 250 && doneBytes !== totalBytes) return;
    last = { file, atMs };
    const total = totalBytes === null ? {} : { total: totalBytes };
    tell({ type: 'progress', progress: { phase, what: file, done: doneBytes, ...total, unit: 'bytes' } });
  };
}

/** What the user asked for cannot be done here. */
class UnusableRequest extends Error {
  override readonly name = 'UnusableRequest';
}

function failureOf(error: unknown): { readonly reason: ConverterFailure; readonly message: string } {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UnusableRequest) return { reason: 'invalid_params', message };
  if (error instanceof InputChanged) return { reason: 'dataset_changed', message };
  if (error instanceof CorruptInput) return { reason: 'dataset_corrupt', message };
  if (error instanceof MissingInput || error instanceof DownloadFailed)
    return { reason: 'dataset_unavailable', message };
  if (error instanceof NotEnoughSpace) return { reason: 'storage_error', message };
  // Of the disk, as `ENOSPC: no space left on device`.
  if (error instanceof Error && 'syscall' in error) return { reason: 'storage_error', message };
  return { reason: 'internal_error', message: error instanceof Error ? (error.stack ?? message) : message };
}

/** Says what it does now. */
function at(place: string): void {
  parent.at(parent.place(place));
}

function tell(message: ConverterMessage): void {
  parent.send(message);
}

async function leave(message: ConverterMessage): Promise<void> {
  await parent.leave(message, 0);
}
