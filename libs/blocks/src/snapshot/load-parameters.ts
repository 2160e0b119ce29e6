import { openTensors, type BytesSource, type NdArray } from '@longrun/serialization';

/**
 * The parameters of a checkpoint by their paths, `/mlp/linear_0.W`, and nothing else of it (Blocks: `load_parameters`). To give them to a model, use
 * `restoreParameters`, which reads what is needed only.
 *
 * @param source The file or object: `parameters.safetensors` of a snapshot, a `.npz` file, or the tar of a checkpoint of the original, of which nothing is unpickled
 * @throws UnknownTensorFile and what else `openTensors` throws
 */
export async function loadParameters(source: BytesSource): Promise<Map<string, NdArray>> {
  const file = await openTensors(source);
  try {
    const parameters = new Map<string, NdArray>();
    for (const name of file.tensors.keys()) parameters.set(name, await file.read(name));
    return parameters;
  } finally {
    await file.close();
  }
}
