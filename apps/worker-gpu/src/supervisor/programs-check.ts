import { access, constants, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes the check of a folder of programs: it can be read, and where it once had programs that can be, it still has one. A disk that is not
 * mounted leaves an empty folder. A module that cannot be read is a fault of its own program alone.
 */
export function programsCheck(folder: string): () => Promise<void> {
  let hadSome = false;
  return async () => {
    const found = await readablePrograms(folder);
    if (hadSome && found === 0)
      throw new Error(`The programs folder ${folder} has no program any more that can be read; is its disk mounted?`);
    hadSome ||= found > 0;
  };
}

async function readablePrograms(folder: string): Promise<number> {
  const names = await readdir(folder).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`The programs folder ${folder} cannot be read: ${why}`, { cause: error });
  });
  let found = 0;
  for (const name of names.filter((one) => /^[^.].*\.m?js$/.test(one))) {
    found += await access(join(folder, name), constants.R_OK).then(
      () => 1,
      () => 0,
    );
  }
  return found;
}
