import type { Client } from '@longrun/client';
import { type ProgramView, shortProgram } from '@longrun/contracts';

import { ago, size } from '../output/amounts.js';
import { table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { readProgram } from '../program-file.js';

interface Output {
  readonly json: boolean;
}

/** Lists the newest program of each name, last published first. */
export async function listPrograms(client: Client, terminal: Terminal, { json }: Output): Promise<void> {
  const programs: ProgramView[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await client.programs.list({ limit: 200, ...(cursor !== undefined && { cursor }) });
    programs.push(...page.items);
    cursor = page.nextCursor;
  }
  if (json) return terminal.printJson(programs, 2);
  if (programs.length === 0)
    return terminal.say('There are no programs yet; publish one: longrun programs publish FILE');
  const rows = programs.map(({ name, sha256, sizeBytes, publishedAt, description }) => [
    shortProgram(name, sha256),
    size(sizeBytes),
    ago(publishedAt),
    description,
  ]);
  terminal.print(
    table(['PROGRAM', 'SIZE', 'PUBLISHED', 'DESCRIPTION'], rows, { right: ['SIZE'], width: terminal.resultColumns }),
  );
}

/** Makes one module of a program and publishes it, as the newest of its name. The client is asked for after it has been found good. */
export async function publishProgram(
  connect: () => Promise<Client>,
  terminal: Terminal,
  path: string,
  { name, json }: Output & { readonly name: string | undefined },
): Promise<void> {
  const local = await readProgram(path, name);
  const client = await connect();
  const program = await client.programs.publish(local.name, local);
  if (json) return terminal.printJson(program, 2);
  terminal.print(`${shortProgram(program.name, program.sha256)}  ${size(program.sizeBytes)}`);
}
