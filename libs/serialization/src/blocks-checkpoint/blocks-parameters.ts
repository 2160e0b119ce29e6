import type { NdArray } from '../ndarray.js';
import { NpzFile, type NpzOptions } from '../numpy/npz-file.js';
import { type BytesSource, openRanged, type RangedBytes } from '../ranged-bytes.js';
import { shown } from '../shown.js';
import { type TarMember, tarMembers } from './tar-members.js';

/** A file is no checkpoint of Blocks, or its parameters cannot be read. The message names the file and says what is wrong with it. */
export class InvalidBlocksCheckpoint extends Error {
  override readonly name = 'InvalidBlocksCheckpoint';
}

/**
 * The parameters in a checkpoint of the original Blocks, by their path (`/mlp/linear_0.W`): what `blocks.serialization.load_parameters`
 * gives. Nothing is unpickled: the member `_pkl`, the main loop, is not read, and so there is no training state but the parameters.
 *
 * @throws InvalidBlocksCheckpoint, InvalidNumpyFile
 */
export async function readBlocksParameters(
  source: BytesSource,
  options: NpzOptions = {},
): Promise<Map<string, NdArray>> {
  const file = await openBlocksParameters(source, options);
  try {
    return await file.readAll();
  } finally {
    await file.close();
  }
}

/** As {@link readBlocksParameters}, but each parameter is read when it is asked for, so that they need not fit in memory. Close it. */
export async function openBlocksParameters(source: BytesSource, options: NpzOptions = {}): Promise<NpzFile> {
  const checkpoint = await openRanged(source, InvalidBlocksCheckpoint);
  try {
    const { start, end } = await parametersIn(checkpoint);
    return await NpzFile.open(checkpoint.part(`member ${PARAMETERS}`, start, end), options, toPath);
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

const PARAMETERS = '_parameters';

/** `SERIALIZATION_BRICK_DELIMITER` of Blocks, where a path has a slash. */
const DELIMITER = '|';

function toPath(name: string): string {
  return name.replaceAll(DELIMITER, '/');
}

async function parametersIn(checkpoint: RangedBytes): Promise<TarMember> {
  let parameters: TarMember | undefined;
  const others: string[] = [];
  for await (const member of tarMembers(checkpoint)) {
    if (member.name !== PARAMETERS) others.push(member.name);
    else if (parameters === undefined) parameters = member;
    else throw checkpoint.invalid(`there are two members ${PARAMETERS}; it is unclear which one is meant`);
  }
  if (parameters !== undefined) return parameters;
  const has = others.length === 0 ? 'none' : others.slice(0, 5).map(shown).join(', ');
  throw checkpoint.invalid(
    `there is no member ${PARAMETERS} among those of the tar file (${has}); write the checkpoint in Blocks with its parameters: ` +
      'dump(main_loop, file, parameters=main_loop.model.parameters)',
  );
}
