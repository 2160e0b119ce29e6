import { writeH5Dataset } from '@longrun/fuel';
import { ndarray, RandomStreams } from '@longrun/serialization';

/** What a dataset of tiny images may be varied in. */
export interface ImageDatasetOptions {
  readonly train?: number;
  readonly test?: number;
  /** Classes, at most 4. Default 3. */
  readonly classes?: number;
}

/** Values of an image. */
export const PIXELS = 16;

/** Writes noisy images of 4 x 4 pixels, of which one row or another is bright, as MNIST is written: uint8, `(batch, 1, 4, 4)`. */
export async function writeImageDataset(path: string, options: ImageDatasetOptions = {}): Promise<void> {
  const { train = 96, test = 32, classes = 3 } = options;
  const count = train + test;
  const random = new RandomStreams(5).stream('images');
  const features = new Uint8Array(count * PIXELS);
  const targets = new Uint8Array(count);
  for (let image = 0; image < count; image += 1) {
    const bright = random.integer(classes);
    targets[image] = bright;
    for (let pixel = 0; pixel < PIXELS; pixel += 1) {
      const isBright = Math.floor(pixel / 4) === bright;
      features[image * PIXELS + pixel] = random.integer(120) + (isBright ? 100 : 0);
    }
  }
  const [ofTrain, ofTest] = [
    { start: 0, stop: train },
    { start: train, stop: count },
  ];
  await writeH5Dataset(
    path,
    async (writer) => {
      await writer.append({
        features: ndarray('uint8', [count, 1, 4, 4], features),
        targets: ndarray('uint8', [count, 1], targets),
      });
      return {
        train: { features: ofTrain, targets: ofTrain },
        test: { features: ofTest, targets: ofTest },
      };
    },
    { axisLabels: { features: ['batch', 'channel', 'height', 'width'], targets: ['batch', 'index'] } },
  );
}
