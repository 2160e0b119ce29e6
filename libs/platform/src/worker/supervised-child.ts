import { fork, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { SIGNS_FD, type Whereabouts } from '@longrun/contracts';
import { type Beat, ChildSigns } from './child-signs.js';
import { LineSplitter } from './line-splitter.js';

export interface SupervisedChildOptions {
  /** Absolute path of the JavaScript module that the child runs. */
  readonly script: string;
  /** Working directory of the child; default: that of this process. */
  readonly cwd?: string;
  /** What the child says over IPC. Not yet validated. */
  readonly onMessage: (message: unknown) => void;
  /** One line that the child wrote, without its line end; lines over 8 KiB arrive in pieces. */
  readonly onLine: (stream: 'stdout' | 'stderr', text: string) => void;
  /** How far it is, as its watchdog says several times a second, whatever the child does. */
  readonly onBeat?: (beat: Beat) => void;
  /** How long pipes may stay open after the child has exited, in ms (a grandchild may hold them). Default 1000. */
  readonly drainMs?: number;
}

/** How a child ended, as facts; what they mean is for the caller to say. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** `kill()` was called before it ended. */
  readonly killedByUs: boolean;
  /** V8 said on stderr that its heap limit was reached. */
  readonly heapExhausted: boolean;
  /** The kernel's count of out-of-memory kills rose while the child lived; `null` where the kernel keeps no count. */
  readonly outOfMemoryKill: boolean | null;
  /** The last lines of stderr, at most 40. */
  readonly stderrTail: string;
}

/**
 * A child process with an IPC channel that cannot take its parent down: it gets an environment without secrets, its output
 * arrives as lines, sending to it when it has gone is not an error, and its end is one promise that never rejects.
 */
export class SupervisedChild {
  readonly pid: number | undefined;
  /** Settles once, after the child has ended and everything it said has been delivered. */
  readonly exited: Promise<ChildExit>;

  readonly #child: ChildProcess;
  readonly #signs: ChildSigns | undefined;
  #killed = false;
  #peakMemoryBytes = 0;

  constructor(options: SupervisedChildOptions) {
    const kernelCountBefore = kernelOutOfMemoryKills();
    const child = fork(options.script, [], {
      execArgv: [],
      env: environmentWithoutSecrets(process.env),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    this.#child = child;
    this.pid = child.pid;
    const signs = child.stdio[SIGNS_FD];
    if (signs instanceof Duplex) this.#signs = new ChildSigns(signs, (beat) => options.onBeat?.(beat));

    const tail: string[] = [];
    let heapExhausted = false;
    child.on('message', (message) => options.onMessage(message));
    child.stdout?.pipe(new LineSplitter((text) => options.onLine('stdout', text)));
    child.stderr?.pipe(
      new LineSplitter((text) => {
        if (text.includes('JavaScript heap out of memory')) heapExhausted = true;
        tail.push(text);
        if (tail.length > 40) tail.shift();
        options.onLine('stderr', text);
      }),
    );

    this.exited = ended(child, options.drainMs ?? 1000).then(async ({ code, signal, startError }) => {
      if (startError !== undefined) tail.push(startError.message);
      const before = await kernelCountBefore;
      const after = await kernelOutOfMemoryKills();
      return {
        code,
        signal,
        killedByUs: this.#killed,
        heapExhausted,
        outOfMemoryKill: before === undefined || after === undefined ? null : after > before,
        stderrTail: tail.join('\n'),
      };
    });
  }

  /** Largest resident set of the child so far, as last sampled: 0 where /proc does not say or before the first sample. */
  get peakMemoryBytes(): number {
    return this.#peakMemoryBytes;
  }

  /** Looks up the child's largest resident set; to be called now and then, since a child that was killed cannot tell it. */
  async samplePeakMemory(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8').catch(() => '');
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(status);
    if (match?.[1] !== undefined) this.#peakMemoryBytes = Math.max(this.#peakMemoryBytes, Number(match[1]) * 1024);
    return this.#peakMemoryBytes;
  }

  /** Where the child stands, even if it is caught in a loop; undefined when its watchdog does not answer within `withinMs`. */
  async whereabouts(withinMs: number): Promise<Whereabouts | undefined> {
    return await this.#signs?.whereabouts(withinMs);
  }

  /** Sends one message; quietly does nothing when the child has gone, since `exited` tells of that. */
  send(message: object): void {
    if (!this.#child.connected) return;
    this.#child.send(message, () => {});
  }

  /** Closes the IPC channel, as the end of this process would. A child with a `ParentLink` leaves then. */
  disconnect(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  /** Ends the child with SIGKILL, without appeal, and waits until it has gone. */
  async kill(): Promise<ChildExit> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#killed = true;
    this.#child.kill('SIGKILL');
    return await this.exited;
  }

  /** Waits for the child to end by itself for `timeoutMs`, then kills it. */
  async endWithin(timeoutMs: number): Promise<ChildExit> {
    const timer = new AbortController();
    const late = sleep(timeoutMs, 'late' as const, { signal: timer.signal }).catch(() => 'ended' as const);
    const first = await Promise.race([this.exited.then(() => 'ended' as const), late]);
    timer.abort();
    return first === 'late' ? await this.kill() : await this.exited;
  }
}

/** Variables that a child may inherit: what programs and numeric libraries need to run, and nothing that could be a credential. */
const INHERITED_NAMES =
  /^(PATH|HOME|USER|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|SystemRoot|NODE_ENV|NODE_OPTIONS|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|(OMP|MKL|OPENBLAS|KMP|CUDA|NVIDIA|TF|ORT)_[A-Z0-9_]+)$/;

function environmentWithoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => INHERITED_NAMES.test(name)));
}

interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  startError?: Error;
}

/** 'exit' may come before the last lines and messages have been read: waits for the pipes and the channel as well. */
async function ended(child: ChildProcess, drainMs: number): Promise<End> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const disconnected = new Promise<void>((resolve) => child.once('disconnect', resolve));
  const end = await new Promise<End>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.on('error', (startError) => {
      // Also emitted for a failed send or kill, which `exit` follows.
      if (child.pid === undefined) resolve({ code: null, signal: null, startError });
    });
  });
  if (end.startError === undefined) {
    const timer = new AbortController();
    const late = sleep(drainMs, undefined, { signal: timer.signal }).catch(() => {});
    await Promise.race([Promise.all([closed, disconnected]), late]);
    timer.abort();
  }
  return end;
}

/** How many processes the Linux kernel has killed for want of memory since boot, all control groups included. */
async function kernelOutOfMemoryKills(): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  const text = await readFile('/proc/vmstat', 'utf8').catch(() => '');
  const match = /^oom_kill (\d+)$/m.exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
