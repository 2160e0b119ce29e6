import { basename } from 'node:path';
import {
  assertNever,
  libraryChanges,
  type LibraryVersions,
  type LogRow,
  nestsTooDeep,
  TrainerMessage,
} from '@longrun/contracts';
import { type Attempt, LineLimit } from '@longrun/platform/worker';
import type { NewestValid } from '@longrun/serialization';
import { z } from 'zod';
import { leftOutLine, limitRow } from '../log-row-limit.js';
import type { LogSpool } from './log-spool.js';
import type { LocalSnapshot } from './snapshot-commits.js';
import type { SnapshotFollower } from './snapshot-follower.js';

type LastMessage = Extract<TrainerMessage, { type: 'failed' | 'finished' | 'stopped' }>;

export interface TrainerReportsOptions {
  readonly attempt: Pick<Attempt, 'workerId' | 'lease' | 'send' | 'report'>;
  /** The checkpoint that the trainer goes on from, and those that were damaged. */
  readonly restored: NewestValid;
  /** What the program imports of `@longrun/*`. */
  readonly libraries: LibraryVersions;
  /** Where its log rows are kept until they are part of a checkpoint. */
  readonly spool: LogSpool;
  /** Reads its snapshots while it writes them. */
  readonly follower: SnapshotFollower;
  /** Process id of the trainer, for the log. */
  readonly pid: () => number | undefined;
  /** Called with each snapshot after which training goes on. */
  readonly onSnapshot: (snapshot: LocalSnapshot) => void;
}

/** What a trainer has said so far. What the record has to know is passed on as it is said. */
export class TrainerReports {
  /** Batches done, in all attempts together. */
  step: number;
  /** Batches that the checkpoint had done. */
  startStep: number;
  /** Batches in an epoch, where it is known. */
  stepsPerEpoch: number | undefined;
  /** Whether the trainer has said where it goes on from. */
  isStarted = false;
  /** As the trainer said at its end; 0 before. */
  peakMemoryBytes = 0;
  /** The snapshot after which nothing was trained. */
  finalSnapshot: LocalSnapshot | undefined;
  /** How the trainer says that it ended. */
  lastMessage: LastMessage | undefined;
  readonly #options: TrainerReportsOptions;
  readonly #lineLimit = new LineLimit();
  #isRowLimitSaid = false;
  #isNonFiniteSaid = false;

  constructor(options: TrainerReportsOptions) {
    this.#options = options;
    this.step = this.startStep = options.restored.manifest?.step ?? 0;
  }

  /** Takes a message. What a trainer should not say, a user's program may. */
  hear(json: unknown): void {
    // Whatever looks at it otherwise may run off its stack.
    if (nestsTooDeep(json)) return this.#ignore('it nests too deep; keep it flatter');
    const parsed = TrainerMessage.safeParse(this.#withinLimit(json));
    if (parsed.success) this.#take(parsed.data);
    else this.#ignore(z.prettifyError(parsed.error));
  }

  /** The trainer limits its rows itself; a message that did not go through it is not even parsed at its full length. */
  #withinLimit(json: unknown): unknown {
    if (!isObject(json)) return json;
    if (json['type'] === 'log_row' && isObject(json['row'])) return { ...json, row: this.#limited(json['row']) };
    if (json['type'] !== 'finished' || !isObject(json['lastRow'])) return json;
    return { ...json, lastRow: this.#limited(json['lastRow']) };
  }

  #limited(row: LogRow): LogRow {
    const limited = limitRow(row);
    if (limited.leftOut.length > 0 && !this.#isRowLimitSaid) {
      this.#isRowLimitSaid = true;
      this.#say(leftOutLine(limited.leftOut));
    }
    return limited.row;
  }

  /** Takes a line that the trainer printed. */
  print(stream: 'stdout' | 'stderr', text: string): void {
    for (const line of this.#lineLimit.pass(text)) this.#send(stream, line);
  }

  /** The trainer has gone: nothing more will come. */
  close(): void {
    // Those who want the rows after the last snapshot ask for them; their file is closed in any case.
    this.#options.spool.cut();
    for (const text of this.#lineLimit.rest()) this.#send('stderr', text);
  }

  #take(message: TrainerMessage): void {
    const { attempt, spool, follower } = this.#options;
    switch (message.type) {
      case 'started':
        this.#started(message);
        break;
      case 'progress':
        this.step = message.step;
        this.stepsPerEpoch = message.stepsPerEpoch;
        attempt.send(message);
        break;
      case 'log_row':
        this.step = Math.max(this.step, message.step);
        spool.add(message);
        attempt.send(message);
        break;
      case 'hyperparameters_set':
        attempt.send(message);
        break;
      case 'non_finite':
        if (this.#isNonFiniteSaid) return this.#ignore('it has said before that a cost is not finite');
        this.#isNonFiniteSaid = true;
        attempt.send(message);
        this.#say(`[longrun] ${message.record} is ${message.value} at step ${message.step}: it is no finite number.`);
        break;
      case 'snapshot_growing':
        follower.follow(message);
        break;
      case 'snapshot': {
        const followed = follower.take();
        if (this.finalSnapshot !== undefined) {
          void followed.close();
          return this.#ignore('it has handed over its final snapshot before');
        }
        this.step = message.step;
        if (message.final) this.finalSnapshot = { ...message, followed, rows: spool.cut() };
        // It was written while training went on: it knows nothing of rows of its own step, still unfinished then, and later ones.
        else this.#options.onSnapshot({ ...message, followed, rows: spool.cut(message.step) });
        break;
      }
      case 'finished':
      case 'stopped':
        this.peakMemoryBytes = message.peakMemoryBytes ?? 0;
        this.step = message.step;
        this.lastMessage = message;
        break;
      case 'failed':
        this.step = message.step ?? this.step;
        this.lastMessage = message;
        break;
      default:
        assertNever(message, 'trainer message');
    }
  }

  #started(message: Extract<TrainerMessage, { type: 'started' }>): void {
    const { attempt, restored, libraries, pid } = this.#options;
    if (this.isStarted) return this.#ignore('it has said before that it started');
    attempt.report(`training from step ${message.startStep} in process ${pid()}`);
    this.isStarted = true;
    this.step = this.startStep = message.startStep;
    const restoredFrom = manifestKeyOf(restored, attempt);
    attempt.send({
      type: 'attempt_started',
      workerId: attempt.workerId,
      startStep: message.startStep,
      engine: message.engine,
      environment: message.environment,
      environmentChanged: message.environmentChanged,
      rejectedCheckpoints: [...restored.rejected],
      libraries,
      librariesChanged: libraryChanges(libraries, restored.manifest?.libraries ?? libraries),
      hyperparameters: message.hyperparameters,
      ...(restoredFrom === undefined ? {} : { restoredFrom }),
    });
  }

  #ignore(reason: string): void {
    this.#say(`[longrun] A message of the trainer was ignored: ${reason.slice(0, LONGEST_REASON)}`);
  }

  /** Says what the trainer has caused to be said: no more of it than it may print itself. */
  #say(text: string): void {
    this.print('stderr', text);
  }

  #send(stream: 'stdout' | 'stderr', text: string): void {
    this.#options.attempt.send({ type: 'line', stream, text });
  }
}

/** Of why a message was ignored, in characters: one can be wrong in as many places as it has. */
const LONGEST_REASON = 2_000;

/** The folder of a restored checkpoint has the name of its manifest. */
function manifestKeyOf({ folder }: NewestValid, { lease }: Pick<Attempt, 'lease'>): string | undefined {
  if (folder === undefined) return undefined;
  return lease.head().checkpoints.find(({ manifestKey }) => basename(manifestKey, '.json') === basename(folder))
    ?.manifestKey;
}

/** What came from the trainer was JSON. */
function isObject(json: unknown): json is LogRow {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
