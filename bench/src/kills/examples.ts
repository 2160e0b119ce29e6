import {
  Batching,
  ConstantScheme,
  type DataStream,
  DatasetStream,
  H5Dataset,
  ScaleAndShift,
  ShuffledScheme,
  Unpack,
  writeH5Dataset,
} from '@longrun/fuel';
import { ndarray, RandomStreams } from '@longrun/serialization';
import { Noise } from './noise.js';

export const EXAMPLES = 168;
export const EPOCHS = 3;
/** Elements of an example. */
export const WIDTH = 12;

/** Writes a dataset of examples that know their own number. */
export async function writeExamples(path: string): Promise<void> {
  const random = new RandomStreams(1).stream('features');
  const features = Uint8Array.from({ length: EXAMPLES * WIDTH }, () => random.integer(256));
  const numbers = Uint16Array.from({ length: EXAMPLES }, (_, example) => example);
  const all = { start: 0, stop: EXAMPLES };
  await writeH5Dataset(path, async (writer) => {
    await writer.append({
      features: ndarray('uint8', [EXAMPLES, WIDTH], features),
      number: ndarray('uint16', [EXAMPLES, 1], numbers),
    });
    return { train: { features: all, number: all } };
  });
}

/** The examples in an order of each epoch, with noise, put together and taken apart twice, so that no batch ends where one below it does. */
export async function openExamples(path: string, seed: number): Promise<DataStream> {
  const random = new RandomStreams(seed);
  const dataset = await H5Dataset.open(path, { whichSets: ['train'] });
  const scheme = new ShuffledScheme(EXAMPLES, 16, { random: random.stream('order') });
  const scaled = new ScaleAndShift(new DatasetStream(dataset, scheme), {
    scale: 1 / 255,
    shift: -0.5,
    whichSources: ['features'],
    dtype: 'float32',
  });
  const noisy = new Noise(scaled, 'features', random.stream('noise'));
  const fives = new Batching(new Unpack(noisy), new ConstantScheme(5));
  return new Batching(new Unpack(fives), new ConstantScheme(7));
}
