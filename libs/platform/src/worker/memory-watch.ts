import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessTree } from '../processes/process-tree.js';
import { readProcessFile } from '../processes/stat-fields.js';

/** More memory was taken than may be. */
export interface MemoryBreach {
  readonly limitBytes: number;
  /** What was taken when it was seen, in bytes. */
  readonly seenBytes: number;
}

export interface MemoryWatchOptions {
  readonly tree: ProcessTree;
  /** Memory that the tree may take, in bytes; null for as much as it gets. */
  readonly limitBytes: number | null;
  /** The limit is passed; called once. */
  readonly onBreach: (breach: MemoryBreach) => void;
  /** Told when it could not look, the first time. */
  readonly say: (sentence: string) => void;
}

/**
 * Looks a few times a second how much memory a process tree takes, until it is stopped. What is held against the limit is what the
 * tree alone keeps in memory (anonymous, shared and swapped pages), not the pages of files that the kernel could drop.
 */
export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  readonly #stopped = new AbortController();
  readonly #watching: Promise<void>;
  #peakBytes = 0;
  #breach: MemoryBreach | null = null;
  #hasFailed = false;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    this.#watching = this.#watch();
  }

  /** Largest resident set of the tree that was seen, in bytes. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  get breach(): MemoryBreach | null {
    return this.#breach;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const since = performance.now();
      await this.#look().catch((error: unknown) => this.#sayFailure(error));
      // A machine with very many processes is not to be busy with this.
      const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(PAUSE_MS, 20 * (performance.now() - since)));
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  #sayFailure(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const why = error instanceof Error ? error.message : String(error);
    this.#options.say(`Its memory could not be looked at, which is tried again: ${why}`);
  }

  async #look(): Promise<void> {
    const { tree, limitBytes, onBreach } = this.#options;
    const pids = (await tree.members()).map(({ pid }) => pid);
    const uses = pids.map(memoryOf);
    const highest = Math.max(0, ...uses.map((use) => use.highestBytes));
    this.#peakBytes = Math.max(this.#peakBytes, highest, sum(uses.map((use) => use.residentBytes)));
    if (limitBytes === null || this.#breach !== null) return;
    let seenBytes = sum(uses.map((use) => use.heldBytes));
    // Pages that a son shares with its father were counted for each; to tell them apart costs more.
    if (seenBytes > limitBytes && pids.length > 1) seenBytes = sum(await Promise.all(pids.map(shareOf)));
    if (seenBytes <= limitBytes) return;
    this.#breach = { limitBytes, seenBytes };
    onBreach(this.#breach);
  }
}

const PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 1_000;

/** What a process takes, in bytes; all 0 when it has gone, and where the system does not say. */
function memoryOf(pid: number): {
  readonly residentBytes: number;
  readonly highestBytes: number;
  readonly heldBytes: number;
} {
  const amount = amountsIn(readProcessFile(pid, 'status') ?? '');
  return {
    residentBytes: amount('VmRSS'),
    highestBytes: amount('VmHWM'),
    heldBytes: amount('RssAnon') + amount('RssShmem') + amount('VmSwap'),
  };
}

/** The same of one that shares pages with others: of these its share. */
async function shareOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => undefined);
  if (text === undefined) return memoryOf(pid).heldBytes;
  const amount = amountsIn(text);
  return amount('Pss_Anon') + amount('Pss_Shmem') + amount('SwapPss');
}

function amountsIn(text: string): (name: string) => number {
  const amounts = new Map(
    [...text.matchAll(/^(\w+):\s+(\d+) kB$/gm)].map(([, name = '', kibibytes]) => [name, Number(kibibytes) * 1024]),
  );
  return (name) => amounts.get(name) ?? 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
