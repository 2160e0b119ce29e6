import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface ControlGroupPlaces {
  /** Where cgroup v2 is mounted. Default /sys/fs/cgroup. */
  readonly root?: string;
  /** What the kernel says of the groups of this process. Default: /proc/self/cgroup. */
  readonly membership?: string;
}

/**
 * The name of the group that a worker must be in for groups to be made beside it (`DelegateSubgroup=` of systemd): the kernel gives no
 * memory limits to groups within one that has processes itself.
 */
const WORKER_GROUP = 'longrun-worker';

/** The control groups (cgroup v2) that this process may make: the kernel itself limits the memory of what is in one. */
export class ControlGroups {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Answers why there are none where that is so. */
  static find({ root = '/sys/fs/cgroup', membership }: ControlGroupPlaces = {}): ControlGroups | string {
    try {
      const own = /^0::(\/.*)$/m.exec(membership ?? readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
      if (own === undefined || !existsSync(join(root, 'cgroup.controllers'))) return 'there is no cgroup v2';
      const folder = join(root, basename(own) === WORKER_GROUP ? dirname(own) : own);
      if (!wordsIn(join(folder, 'cgroup.controllers')).includes('memory')) return `${folder} has no memory controller`;
      if (!wordsIn(join(folder, 'cgroup.subtree_control')).includes('memory'))
        writeFileSync(join(folder, 'cgroup.subtree_control'), '+memory');
      const trial = new ControlGroup(join(folder, `longrun-trial-${process.pid}`), 2 ** 30);
      trial.remove();
      return new ControlGroups(folder);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** A new group whose processes may take so much memory together, in bytes. Throws what the kernel says against it. */
  make(name: string, limitBytes: number): ControlGroup {
    return new ControlGroup(join(this.#folder, `longrun-${name}`), limitBytes);
  }
}

/** One group: whoever is put into it stays in it, with all that it starts. */
export class ControlGroup {
  readonly #folder: string;

  constructor(folder: string, limitBytes: number) {
    this.#folder = folder;
    mkdirSync(folder);
    try {
      this.#write('memory.max', String(limitBytes));
      // Else what is over the limit is swapped out, and the machine stands still. A kernel without swap has no such file.
      if (existsSync(join(folder, 'memory.swap.max'))) this.#write('memory.swap.max', '0');
      if (existsSync(join(folder, 'memory.oom.group'))) this.#write('memory.oom.group', '1');
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** Puts a process into it. */
  add(pid: number): void {
    this.#write('cgroup.procs', String(pid));
  }

  /** Whether the kernel has killed a process of it for want of memory. */
  get isExhausted(): boolean {
    return Number(/^oom_kill (\d+)$/m.exec(this.#read('memory.events'))?.[1] ?? 0) > 0;
  }

  /** The most memory that it has had, in bytes; 0 where the kernel keeps no count. */
  get peakBytes(): number {
    return Number(this.#read('memory.peak').trim());
  }

  /** Numbers of the processes in it. */
  get pids(): number[] {
    return this.#read('cgroup.procs').split('\n').filter(Boolean).map(Number);
  }

  /** Kills all that is in it at once, faster than anything can fork, where the kernel knows how. */
  kill(): void {
    try {
      if (existsSync(join(this.#folder, 'cgroup.kill'))) this.#write('cgroup.kill', '1');
    } catch {
      // Its processes are killed one by one then.
    }
  }

  /** Removes it, once nothing is in it any more. One that cannot be removed stays, and limits nobody. */
  remove(): void {
    try {
      rmdirSync(this.#folder);
    } catch {
      // What cannot be killed is still in it.
    }
  }

  /** Empty where the kernel has no such file, or does not say. */
  #read(name: string): string {
    try {
      return readFileSync(join(this.#folder, name), 'utf8');
    } catch {
      return '';
    }
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.#folder, name), text);
  }
}

function wordsIn(path: string): string[] {
  return readFileSync(path, 'utf8').trim().split(/\s+/);
}
