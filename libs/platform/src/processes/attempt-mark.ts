import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ProcessEntry, ProcessIdentity } from './process-table.js';
import { STARTED_FIELD, statFieldsIn } from './stat-fields.js';

/**
 * What the processes of an attempt bear in their environment, handed down to whatever they start: by it they are known even when they
 * left their process group, and when their worker is dead.
 */
export interface AttemptMark {
  /** The worker that the attempt is of. */
  readonly worker: ProcessIdentity;
  /** As it stands in the environment. */
  readonly text: string;
}

/** The variable that bears the mark. */
export const MARK_VARIABLE = 'LONGRUN_ATTEMPT';

/** A mark for one attempt of this process. */
export function newMark(): AttemptMark {
  return { worker: self, text: `${namespace}.${self.pid}.${self.started}.${randomUUID()}` };
}

/** Those of a table that bear the mark of an attempt, where the system lets their environment be read. */
export async function markedProcesses<Entry extends Pick<ProcessEntry, 'pid'>>(
  table: readonly Entry[],
): Promise<(Entry & { readonly mark: AttemptMark })[]> {
  const found = await Promise.all(
    table.map(async (entry) => {
      const mark = readMark(await readFile(`/proc/${entry.pid}/environ`, 'latin1').catch(() => ''));
      return mark === undefined ? [] : [{ ...entry, mark }];
    }),
  );
  return found.flat();
}

function readMark(environment: string): AttemptMark | undefined {
  const variable = environment.split('\0').find((one) => one.startsWith(`${MARK_VARIABLE}=`));
  const text = variable?.slice(MARK_VARIABLE.length + 1) ?? '';
  const [ofNamespace, pid, started] = text.split('.');
  // A number of another namespace is that of another process here.
  if (ofNamespace !== namespace || pid === undefined || started === undefined) return undefined;
  return { worker: { pid: Number(pid), started }, text };
}

/** Which processes the numbers here are of: each container has its own. */
const namespace = /\d+/.exec(read(() => readlinkSync('/proc/self/ns/pid')))?.[0] ?? '0';

const self: ProcessIdentity = { pid: process.pid, started: ownStart() };

function ownStart(): string {
  return statFieldsIn(read(() => readFileSync('/proc/self/stat', 'utf8')))[STARTED_FIELD] ?? '0';
}

/** Empty where there is no /proc. */
function read(look: () => string): string {
  try {
    return look();
  } catch {
    return '';
  }
}
