import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { ApiProblem, type Client } from '@longrun/client';

import { readProgram } from '../program-file.js';

/** Publishes the programs of a folder, each once: a name that has been given to another since is left to that. */
export async function publishPrograms(client: Client, folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  for (const file of files) {
    const program = await readProgram(join(folder, file));
    if (!(await isPublished(client, `${program.name}@${program.sha256}`)))
      await client.programs.publish(program.name, program);
  }
}

async function isPublished(client: Client, reference: string): Promise<boolean> {
  try {
    await client.programs.get(reference);
    return true;
  } catch (error) {
    if (error instanceof ApiProblem && error.problem.status === 404) return false;
    throw error;
  }
}
