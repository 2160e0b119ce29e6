import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { secretValue, VariableName } from '@longrun/contracts';
import { makeFolder, writeDurably } from '@longrun/serialization';

import { hiddenLine } from '../hidden-line.js';
import type { Surroundings } from '../surroundings.js';

/** There is no such secret, or nothing that could be one was given. */
export class UnusableSecret extends Error {
  override readonly name = 'UnusableSecret';
}

/**
 * Keeps a secret in a file that only its user and root read, whole or not at all. It is neither shown nor taken from the command line, which others can
 * read. A program that runs keeps what it was started with.
 *
 * @throws UnusableSecret
 */
export async function setSecret({ terminal, input }: Surroundings, state: string, name: string): Promise<void> {
  const isTyped = input.isTTY === true;
  if (isTyped) terminal.say(`The value of ${name} (it is not shown):`);
  const given = isTyped ? Buffer.from((await hiddenLine(input)) ?? '') : await buffer(input);
  const found = secretValue(given);
  if (!found.ok) throw new UnusableSecret(`what was given can be no secret: ${found.why}; nothing has changed`);
  const folder = folderIn(state);
  await makeFolder(folder);
  await chmod(folder, 0o700);
  const file = join(folder, name);
  await writeDurably(file, [Buffer.from(found.value)]);
  await chmod(file, 0o600);
  terminal.print(
    `${name} is kept in ${file}; experiments that name it in \`secrets\` find it from their next attempt on`,
  );
}

/** Prints the names of the secrets, in their order. */
export async function listSecrets(
  { terminal }: Surroundings,
  state: string,
  { json }: { readonly json: boolean },
): Promise<void> {
  const names = await namesIn(state);
  if (json) terminal.printJson(names);
  else for (const name of names) terminal.print(name);
  if (!json && names.length === 0) terminal.say('there are none; keep one with: longrun secret set NAME');
}

/** Removes a secret. @throws UnusableSecret where there is none of its name */
export async function removeSecret({ terminal }: Surroundings, state: string, name: string): Promise<void> {
  const names = await namesIn(state);
  if (!names.includes(name)) {
    throw new UnusableSecret(`there is no secret ${name}, but ${names.length === 0 ? 'none' : names.join(', ')}`);
  }
  await rm(join(folderIn(state), name));
  terminal.print(`${name} is removed`);
}

function folderIn(state: string): string {
  return join(state, 'secrets');
}

async function namesIn(state: string): Promise<readonly string[]> {
  const found = await readdir(folderIn(state)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return found.filter((name) => VariableName.safeParse(name).success).toSorted();
}
