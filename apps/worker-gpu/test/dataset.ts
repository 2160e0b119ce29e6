import { join } from 'node:path';
import { type DatasetOutcome, type DatasetResult, ResolvedDataset, type WorkerEvent } from '@longrun/contracts';
import { writeH5Dataset } from '@longrun/fuel';
import type { Attempt, AttemptEnd, Work } from '@longrun/platform/worker';
import { hashFile, ndarray, RandomStreams } from '@longrun/serialization';

const TRAIN_COUNT = 240;
const TEST_COUNT = 40;

/** Writes a dataset of 280 images of 4 x 4 pixels in 3 classes, of which the brightest quarter tells. Other seeds give other images. */
export async function writeDigits(path: string, seed = 7): Promise<void> {
  const random = new RandomStreams(seed).stream('digits');
  const count = TRAIN_COUNT + TEST_COUNT;
  const features = new Uint8Array(count * 16);
  const targets = new Uint8Array(count);
  for (let example = 0; example < count; example += 1) {
    const label = random.integer(3);
    targets[example] = label;
    for (let pixel = 0; pixel < 16; pixel += 1)
      features[example * 16 + pixel] = random.integer(120) + (Math.floor(pixel / 4) === label ? 80 : 0);
  }
  await writeH5Dataset(path, async (writer) => {
    await writer.append({
      features: ndarray('uint8', [count, 1, 4, 4], features),
      targets: ndarray('uint8', [count, 1], targets),
    });
    return { train: ranges(0, TRAIN_COUNT), test: ranges(TRAIN_COUNT, count) };
  });
}

/** Publishes a file, `<name>.hdf5` in a folder, as the dataset of that name. */
export class PublishFile implements Work {
  readonly attempt: Attempt;
  readonly folder: string;
  #result: DatasetResult | undefined;

  constructor(attempt: Attempt, folder: string) {
    this.attempt = attempt;
    this.folder = folder;
  }

  async run(): Promise<AttemptEnd> {
    this.attempt.send({ type: 'dataset_started', workerId: this.attempt.workerId });
    const { spec } = ResolvedDataset.parse(await this.attempt.readSpec());
    const path = join(this.folder, `${spec.name}.hdf5`);
    const { sha256, sizeBytes } = await hashFile(path);
    const fileKey = `datasets/files/${sha256}.hdf5`;
    await this.attempt.store.put(fileKey, { path });
    const description = { sources: [], splits: { train: TRAIN_COUNT, test: TEST_COUNT }, attributes: {} };
    this.#result = { fileKey, sha256, sizeBytes, description, identity: null, sameAs: null };
    return { reason: 'succeeded' };
  }

  heartbeat(): WorkerEvent {
    return { type: 'dataset_heartbeat' };
  }

  outcome(end: AttemptEnd): DatasetOutcome {
    return { reason: end.reason, ...(this.#result === undefined ? {} : { result: this.#result }) };
  }

  endEvent(end: AttemptEnd): WorkerEvent {
    return { type: 'dataset_ended', ...this.outcome(end), peakMemoryBytes: 0 };
  }
}

function ranges(start: number, stop: number) {
  return { features: { start, stop }, targets: { start, stop } };
}
