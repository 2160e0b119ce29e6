import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fashionMnist } from '@longrun/fuel';
import { stateFolder } from './report.js';

/** Fashion-MNIST in Fuel's layout, converted where it has not been yet. Its raw files lie in `raw/fashion-mnist` of the state folder. */
export async function convertedFashionMnist(): Promise<string> {
  const folder = join(stateFolder, 'bench');
  const path = join(folder, 'fashion-mnist.hdf5');
  if (existsSync(path)) return path;
  await mkdir(folder, { recursive: true });
  await fashionMnist.convert(join(stateFolder, 'raw', 'fashion-mnist'), path, {});
  return path;
}
