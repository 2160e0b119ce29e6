import { InvalidSafetensors } from '../safetensors/header.js';
import { openSafetensors, type TensorFacts } from '../safetensors/safetensors-file.js';
import type { ObjectReading } from '../store/object-store.js';
import { blobKeysOf, type Manifest, type ManifestFile } from './manifest.js';

/** What the header of a tensor file says, or why it says nothing. */
export type StoredTensors =
  | { readonly file: string; readonly tensors: ReadonlyMap<string, TensorFacts>; readonly reason?: undefined }
  | { readonly file: string; readonly tensors: undefined; readonly reason: string };

/** The tensors of a checkpoint by file. Only headers are read, and nothing is compared with what was committed. */
export async function tensorsOf(store: ObjectReading, { files }: Manifest): Promise<readonly StoredTensors[]> {
  const found: StoredTensors[] = [];
  for (const file of files.filter(isTensorFile)) found.push(await headerOf(store, file));
  return found;
}

/** Whether a file has tensors, by its name. */
export function isTensorFile({ name }: Pick<ManifestFile, 'name'>): boolean {
  return name.endsWith('.safetensors');
}

async function headerOf(store: ObjectReading, file: ManifestFile): Promise<StoredTensors> {
  const reasons: string[] = [];
  for (const key of blobKeysOf(file)) {
    try {
      const opened = await openSafetensors({ store, key });
      await opened.close();
      return { file: file.name, tensors: opened.tensors };
    } catch (error) {
      if (!(error instanceof InvalidSafetensors)) throw error;
      reasons.push(error.message);
    }
  }
  return { file: file.name, tensors: undefined, reason: reasons.join('; ') };
}
