import { childrenOf, peakMemoryBytes } from '@longrun/platform/processes';
import type { LocalStack, ServiceName } from '../stack/stack.js';

/** What memory is told apart by. */
export type MemoryRole = ServiceName | 'trainer';

const services: readonly ServiceName[] = ['redis', 'api', 'fuel-preproc', 'worker-gpu'];

/** Keeps the largest resident set that each kind of process has had, over all processes of its kind. */
export class MemoryWatch {
  readonly #stack: LocalStack;
  readonly #peaks = new Map<MemoryRole, number>();
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(stack: LocalStack, options: { readonly everyMs?: number } = {}) {
    this.#stack = stack;
    this.#everyMs = options.everyMs ?? 250;
  }

  start(): void {
    const tick = (): void => {
      // What one look could not see, the next may.
      void this.sample()
        .catch(() => undefined)
        .finally(() => {
          if (this.#timer !== undefined) this.#timer = setTimeout(tick, this.#everyMs);
        });
    };
    this.#timer = setTimeout(tick, this.#everyMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Looks now: just before a process is killed, or at the end. */
  async sample(): Promise<void> {
    const worker = this.#stack.service('worker-gpu').pid;
    const trainers = worker === undefined ? [] : await childrenOf(worker);
    const looks = [
      ...services.map((role) => ({ role, pid: this.#stack.service(role).pid })),
      ...trainers.map((pid) => ({ role: 'trainer' as const, pid })),
    ];
    await Promise.all(
      looks.map(async ({ role, pid }) => {
        const bytes = pid === undefined ? undefined : await peakMemoryBytes(pid);
        if (bytes !== undefined) this.record(role, bytes);
      }),
    );
  }

  /** Takes in a figure that a process has given of itself. */
  record(role: MemoryRole, bytes: number): void {
    this.#peaks.set(role, Math.max(bytes, this.#peaks.get(role) ?? 0));
  }

  /** The peak of each kind seen so far, in bytes. */
  get peaks(): ReadonlyMap<MemoryRole, number> {
    return this.#peaks;
  }
}
