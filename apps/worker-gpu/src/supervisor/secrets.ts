import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { secretValue } from '@longrun/contracts';

/** A secret that an experiment names is not there, or cannot be read. */
export class SecretUnavailable extends Error {
  override readonly name = 'SecretUnavailable';
}

/**
 * The secrets of programs on this machine: a folder with a file for each, called as the environment variable that has its content (as Kubernetes mounts
 * them). They are read at each attempt, so that one that is put there counts from the next on.
 */
export class Secrets {
  readonly #folder: string;

  /** @param folder absolute; it need not exist */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The values of secrets, without the line break that ends a file. @throws SecretUnavailable */
  async read(names: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const values: Record<string, string> = {};
    for (const name of names) values[name] = await this.#valueOf(name);
    return values;
  }

  async #valueOf(name: string): Promise<string> {
    const path = join(this.#folder, name);
    const bytes = await contentOf(path).catch((error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read (${error.message})`;
      throw new SecretUnavailable(
        `The worker has no secret ${name}: ${why}. Put it there with \`longrun secret set ${name}\`, then retry the experiment.`,
      );
    });
    const found = secretValue(bytes);
    if (!found.ok)
      throw new SecretUnavailable(
        `${path} holds no secret: ${found.why}. Write it anew with \`longrun secret set ${name}\`, then retry the experiment.`,
      );
    return found.value;
  }
}

/** A pipe or a device in the place of a file is not waited for. */
async function contentOf(path: string): Promise<Buffer> {
  if (!(await stat(path)).isFile()) throw new Error('it is no file');
  return await readFile(path);
}
