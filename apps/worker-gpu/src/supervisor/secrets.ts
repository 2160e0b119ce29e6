import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

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
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read (${error.message})`;
      throw new SecretUnavailable(
        `The worker has no secret ${name}: ${why}. Put it there with \`longrun secret set ${name}\`, then retry the experiment.`,
      );
    });
    const value = text.replace(/\r?\n$/, '');
    if (value === '' || value.includes('\0'))
      throw new SecretUnavailable(`${path} holds no text that an environment variable could have; write it anew.`);
    return value;
  }
}

/** Puts `***` in the place of secrets, and of each line of one, wherever they stand in a text. */
export function masking(secrets: Iterable<string>): (text: string) => string {
  const parts = [...secrets]
    .flatMap((value) => [value, ...value.split(/\r?\n/)])
    .filter((part) => part.length >= SHORTEST);
  // The longest first: one may be a part of another.
  const all = [...new Set(parts)].toSorted((a, b) => b.length - a.length);
  return (text) => all.reduce((masked, part) => masked.replaceAll(part, '***'), text);
}

/** What is shorter stands in many a text by chance, which would tell what it is. */
const SHORTEST = 4;
