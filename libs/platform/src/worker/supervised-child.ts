import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { MESSAGES_FD, SIGNS_FD, type Whereabouts } from '@longrun/contracts';
import { MessageChannel } from '../child/message-channel.js';
import { environmentWithoutSecrets } from '../configuration/hidden-environment.js';
import { type AttemptMark, MARK_VARIABLE, newMark } from '../processes/attempt-mark.js';
import { sendSignal } from '../processes/process-table.js';
import type { OwnUser } from '../processes/own-user.js';
import { patience, within } from '../processes/patience.js';
import { GONE_WITHIN_MS, ProcessTree } from '../processes/process-tree.js';
import { noteUndying } from '../processes/undying.js';
import type { ControlGroup, ControlGroups } from './control-groups.js';
import type { Launch } from './isolation.js';
import { type Beat, ChildSigns } from './child-signs.js';
import { LineSplitter } from './line-splitter.js';
import { type MemoryBreach, MemoryWatch } from './memory-watch.js';
import { NO_SECRETS, type SecretMasks } from './secret-masks.js';

export interface SupervisedChildOptions {
  /** Absolute path of the JavaScript module that the child runs. */
  readonly script: string;
  /** As whom and where it runs, see {@link Isolation}. Default: as this process. */
  readonly launch?: Launch;
  /** Memory that the child and all that it starts may take, in bytes. Default null: as much as they get. */
  readonly memoryLimitBytes?: number | null;
  /** Of one message of the child, at most, in bytes: one that says more is ended. Default 16 MiB. */
  readonly maxMessageBytes?: number;
  /** What the child says. Not yet validated. When it throws, the child is ended as one that {@link ChildExit.garbled}. */
  readonly onMessage: (message: unknown) => void;
  /** One line that the child wrote, without its line end; lines over 8 KiB arrive in pieces. */
  readonly onLine: (stream: 'stdout' | 'stderr', text: string) => void;
  /** How far it is, as its watchdog says several times a second, whatever the child does. */
  readonly onBeat?: (beat: Beat) => void;
  /**
   * How long it is waited for once it was killed, and then as long for each of what it has started and what they still say, in ms in which
   * this process ran. Default 60,000.
   */
  readonly undyingAfterMs?: number;
}

/** How a child ended, as facts; what they mean is for the caller to say. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** `kill()` was called before it ended. */
  readonly killedByUs: boolean;
  /** It was killed and has not ended: a device or a disk does not let it go. It runs no code of its own any more. */
  readonly isUndying: boolean;
  /** V8 said on stderr that its heap limit was reached. */
  readonly heapExhausted: boolean;
  /** It was ended because it took more memory than it may; null when it was not. */
  readonly memory: MemoryBreach | null;
  /** It was ended because what it said could not be taken, and why not, in a clause; null when it was not. */
  readonly garbled: string | null;
  /** The last lines of stderr, at most 40. */
  readonly stderrTail: string;
}

/**
 * A child process that cannot take its parent down, whatever it says: it gets an environment without secrets, its output
 * arrives as lines, sending to it when it has gone is not an error, and its end is one promise that never rejects. It leads a process
 * group of its own, which is gone with all that it has started when that promise settles. What cannot be ended is not waited for without
 * end: it is an {@link undyingProcesses | undying process}, beside which no other child is to be started.
 */
export class SupervisedChild {
  readonly pid: number | undefined;
  /** Settles once, after the child and all that it has started have ended and everything they said has been delivered. */
  readonly exited: Promise<ChildExit>;

  readonly #child: ChildProcess;
  readonly #memory: MemoryWatch;
  readonly #signs: ChildSigns | undefined;
  readonly #channel: MessageChannel | undefined;
  #masks: SecretMasks = NO_SECRETS;
  #killed = false;
  #garbled: string | null = null;
  /** Aborted when it was killed, for whatever reason. */
  readonly #doomed = new AbortController();

  constructor(options: SupervisedChildOptions) {
    const mark = newMark();
    const { memoryLimitBytes = null, undyingAfterMs = GONE_WITHIN_MS } = options;
    const { controlGroups, ownUser, execPath = process.execPath, execArgv = [], env, ...launch } = options.launch ?? {};
    const child = spawn(execPath, [...execArgv, ...heapOptions(memoryLimitBytes), options.script], {
      ...launch,
      env: { ...environmentWithoutSecrets(process.env), ...env, [MARK_VARIABLE]: mark.text },
      // The last two by their numbers: MESSAGES_FD and SIGNS_FD.
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    this.pid = child.pid;
    const say = (sentence: string): void => options.onLine('stderr', `[longrun] ${sentence}`);
    // Its first son comes long after this: it has not loaded its script yet.
    const group = limitedGroup(controlGroups, { mark, pid: child.pid, limitBytes: memoryLimitBytes }, say);
    // A child that could not be started has no tree; -1 is no process' number.
    const tree = new ProcessTree(child.pid ?? -1, mark, () => group?.pids ?? []);
    if (child.pid !== undefined) ownUser?.add(tree);
    this.#memory = new MemoryWatch({
      tree,
      limitBytes: group === undefined ? memoryLimitBytes : null,
      onBreach: () => this.#endGroup(),
      say,
    });
    const signs = child.stdio[SIGNS_FD];
    if (signs instanceof Socket) this.#signs = new ChildSigns(signs, (beat) => options.onBeat?.(beat));

    const tail: string[] = [];
    let heapExhausted = false;
    const channel = child.stdio[MESSAGES_FD];
    if (channel instanceof Socket)
      this.#channel = new MessageChannel(channel, {
        onMessage: (message) => this.#hear(() => options.onMessage(message)),
        onGarbage: (why) => this.#endGarbled(why),
        maxBytes: options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
      });
    const masks = (): SecretMasks => this.#masks;
    child.stdout?.pipe(new LineSplitter((text) => options.onLine('stdout', text), masks));
    child.stderr?.pipe(
      new LineSplitter((text) => {
        if (text.includes('JavaScript heap out of memory')) heapExhausted = true;
        tail.push(text);
        if (tail.length > 40) tail.shift();
        options.onLine('stderr', text);
      }, masks),
    );

    const undying = undyingAfter(this.#doomed.signal, undyingAfterMs, child);
    this.exited = ended(child, { tree, group, ownUser, undying, undyingAfterMs, say }).then(
      async ({ code, signal, ...end }) => {
        const { startError, isUndying = false } = end;
        if (startError !== undefined) tail.push(startError.message);
        await this.#memory.stop();
        let memory = this.#memory.breach;
        if (group?.isExhausted === true && memoryLimitBytes !== null)
          memory = { limitBytes: memoryLimitBytes, seenBytes: Math.max(group.peakBytes, memoryLimitBytes) };
        group?.remove();
        const [killedByUs, garbled] = [this.#killed, this.#garbled];
        return { code, signal, killedByUs, isUndying, heapExhausted, memory, garbled, stderrTail: tail.join('\n') };
      },
    );
  }

  /** It runs no more, or never did; {@link exited} settles later. */
  get hasEnded(): boolean {
    const { exitCode, signalCode } = this.#child;
    return this.pid === undefined || exitCode !== null || signalCode !== null;
  }

  /** Largest resident set of the child and all that it has started together, as far as it was seen: 0 where /proc does not say. */
  get peakMemoryBytes(): number {
    return this.#memory.peakBytes;
  }

  /** Where the child stands, even if it is caught in a loop; undefined when its watchdog does not answer within `withinMs`. */
  async whereabouts(withinMs: number): Promise<Whereabouts | undefined> {
    return await this.#signs?.whereabouts(withinMs);
  }

  /** Masks secrets in all that the child prints from now on: to be called before it is told them. */
  mask(masks: SecretMasks): void {
    this.#masks = masks;
  }

  /** Sends one message; quietly does nothing when the child has gone, since `exited` tells of that. */
  send(message: object): void {
    this.#channel?.send(message);
  }

  /** Closes the channel, as the end of this process would. A child with a `ParentLink` leaves then. */
  disconnect(): void {
    this.#channel?.end();
  }

  /** Ends the child and all that it has started with SIGKILL, without appeal, and waits until they have gone. */
  async kill(): Promise<ChildExit> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#killed = true;
    this.#endGroup();
    return await this.exited;
  }

  /** Waits for the child to end by itself for `timeoutMs` in which this process runs, too, then kills it. */
  async endWithin(timeoutMs: number): Promise<ChildExit> {
    return (await within(timeoutMs, this.exited)) ?? (await this.kill());
  }

  #hear(tell: () => void): void {
    // What came in one piece with the refused is still there to be told.
    if (this.#garbled !== null) return;
    try {
      tell();
    } catch (error) {
      this.#endGarbled(error instanceof Error ? error.message : String(error));
    }
  }

  #endGarbled(why: string): void {
    this.#garbled ??= why;
    this.#endGroup();
  }

  /** What has left the group is ended after the child. */
  #endGroup(): void {
    if (this.pid === undefined || this.hasEnded) return;
    sendSignal(-this.pid, 'SIGKILL');
    this.#doomed.abort();
  }
}

/** Of one message of a child: what is parsed takes several times as much of the worker's memory. */
const MAX_MESSAGE_BYTES = 16 * 2 ** 20;

/** JavaScript may have all the memory that the child may have: by itself the engine would stop at 2 to 4 GiB of any. */
function heapOptions(memoryLimitBytes: number | null): string[] {
  const isSaid = process.env['NODE_OPTIONS']?.includes('--max-old-space-size') === true;
  return memoryLimitBytes === null || isSaid ? [] : [`--max-old-space-size=${Math.floor(memoryLimitBytes / 2 ** 20)}`];
}

/** The group that limits the child's memory, where the kernel has such; without it the memory is watched. */
function limitedGroup(
  controlGroups: ControlGroups | undefined,
  child: { readonly mark: AttemptMark; readonly pid: number | undefined; readonly limitBytes: number | null },
  say: (sentence: string) => void,
): ControlGroup | undefined {
  if (controlGroups === undefined || child.limitBytes === null || child.pid === undefined) return undefined;
  let group: ControlGroup | undefined;
  try {
    group = controlGroups.make(child.mark.text, child.limitBytes);
    group.add(child.pid);
    return group;
  } catch (error) {
    group?.remove();
    say(`Its memory is watched, not limited by the kernel: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  startError?: Error;
  isUndying?: true;
}

/** Resolves when a child was killed and has not ended for so long; never for one that ends. */
async function undyingAfter(doomed: AbortSignal, ms: number, child: ChildProcess): Promise<End> {
  if (!doomed.aborted) await once(doomed, 'abort');
  await patience(ms, { ref: false });
  if (child.exitCode !== null || child.signalCode !== null) return await new Promise(() => {});
  child.unref();
  return { code: null, signal: null, isUndying: true };
}

/** 'exit' may come before the last lines and messages have been read: these end when nobody is left who holds the pipes. */
async function ended(
  child: ChildProcess,
  started: {
    readonly tree: ProcessTree;
    readonly group: ControlGroup | undefined;
    readonly ownUser: OwnUser | undefined;
    readonly undying: Promise<End>;
    readonly undyingAfterMs: number;
    say(this: void, sentence: string): void;
  },
): Promise<End> {
  const { tree, group, ownUser, undying, undyingAfterMs, say } = started;
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const exit = new Promise<End>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.on('error', (startError) => {
      // Also emitted for a failed send or kill, which `exit` follows.
      if (child.pid === undefined) resolve({ code: null, signal: null, startError });
    });
  });
  const end = await Promise.race([exit, undying]);
  if (end.startError !== undefined) return end;
  // All at once first, which needs no look at who is there.
  group?.kill();
  if (child.pid !== undefined) sendSignal(-child.pid, 'SIGKILL');
  ownUser?.remove(tree);
  let saysMoreForMs = undyingAfterMs;
  try {
    const [known, escaped = []] = await Promise.all([tree.end(undyingAfterMs), ownUser?.endStrangers(undyingAfterMs)]);
    const left = new Map([...known, ...escaped].map((one) => [one.pid, one]));
    noteUndying([...left.values()]);
    if (left.size > 0) {
      say(`Processes ${[...left.keys()].join(', ')} do not end with SIGKILL.`);
      // They may hold its output for ever; what was said has been heard while they were waited for.
      saysMoreForMs = 0;
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    say(`Whether all that it started has ended is not known: ${why}`);
  }
  const timer = new AbortController();
  const late = patience(saysMoreForMs, { signal: timer.signal }).then(
    () => 'late' as const,
    () => 'closed' as const,
  );
  const first = await Promise.race([closed.then(() => 'closed' as const), late]);
  timer.abort();
  if (first === 'late') {
    say('A process that it started, and that cannot be found, still holds its output: what that says is not heard.');
    for (const stream of child.stdio) stream?.destroy();
  }
  return end;
}
