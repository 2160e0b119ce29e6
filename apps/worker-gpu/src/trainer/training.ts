import { join } from 'node:path';
import {
  assertNever,
  datasetsOf,
  type HyperparameterSetting,
  type TrainerCommand,
  type TrainerMessage,
} from '@longrun/contracts';
import {
  type AppliedSetting,
  config,
  type DatasetFile,
  loadProgram,
  type MainLoop,
  Outputs,
  restoreSnapshot,
  SNAPSHOT_FILES,
  writeSnapshot,
  type WrittenSnapshot,
} from '@longrun/blocks';
import type { ParentLink } from '@longrun/platform/child';
import { RandomStreams, StateMismatch } from '@longrun/serialization';
import { computeTarget, describeTarget } from '@longrun/tensor';
import { CheckpointUnreadable, failureOf, ForkUnfit } from './failure.js';
import { hostExtensions } from './host-extensions.js';
import { Hold } from './hold.js';
import { encodeRow } from './log-row.js';
import { Progress } from './progress.js';
import { announcement, SnapshotHandover } from './snapshot-handover.js';

type Assignment = Extract<TrainerCommand, { type: 'assignment' }>;

/** The training of one experiment: built from its program, restored from a checkpoint, run to its end or to a stop. */
export class Training {
  readonly #parent: ParentLink;
  readonly #handover: SnapshotHandover;
  readonly #progress: Progress;
  /** The worker has it wait between two steps. */
  readonly #hold = new Hold();
  /** Aborted when the worker wants the trainer to stop. */
  readonly #stop = new AbortController();
  /** Whether it wants the state in which training stops. */
  #snapshotWanted = true;
  #mainLoop: MainLoop | undefined;
  /** Settings of hyperparameters that came before they could be taken. */
  readonly #settings: HyperparameterSetting[] = [];
  /** Numbers of those that cannot be applied. */
  readonly #unfit = new Set<number>();
  #isRestored = false;

  constructor(parent: ParentLink) {
    this.#parent = parent;
    this.#progress = new Progress(parent);
    this.#handover = new SnapshotHandover((message) => this.#tell(message));
  }

  obey(command: TrainerCommand): void {
    switch (command.type) {
      case 'assignment':
        this.#train(command).catch((error: unknown) => this.fail(error));
        break;
      case 'stop':
        this.#snapshotWanted = command.snapshot;
        this.#stop.abort();
        this.#hold.endForGood();
        this.#handover.release();
        break;
      case 'set':
        this.#set(command.settings);
        break;
      case 'hold':
        this.#hold.begin();
        break;
      case 'go_on':
        this.#hold.end();
        break;
      case 'snapshot_committed':
        this.#handover.committed(command.name).catch((error: unknown) => this.fail(error));
        break;
      default:
        assertNever(command, 'trainer command');
    }
  }

  /** Says that training cannot go on, and why; ends the process. */
  fail(error: unknown): void {
    const step = this.#mainLoop?.status.iterationsDone;
    void this.#leave({ type: 'failed', ...failureOf(error), ...(step === undefined ? {} : { step }) }, 1);
  }

  async #train(assignment: Assignment): Promise<void> {
    this.#progress.atStage('building the program');
    const mainLoop = await this.#build(assignment);
    this.#mainLoop = mainLoop;
    mainLoop.watchedBy(this.#progress);
    this.#progress.atStage('restoring the checkpoint');
    await this.#restore(mainLoop, assignment);
    this.#isRestored = true;
    this.#set([...assignment.settings, ...this.#settings]);
    if (this.#stop.signal.aborted) return await this.#leaveStopped(mainLoop);

    const outcome = await mainLoop.run({ signal: this.#stop.signal });
    switch (outcome) {
      case 'finished': {
        const { step } = await this.#finalSnapshot(mainLoop, assignment);
        const lastRow = encodeRow(mainLoop.log.currentRow);
        const parametersFile = SNAPSHOT_FILES.parameters;
        return await this.#leave(
          { type: 'finished', step, lastRow, parametersFile, peakMemoryBytes: peakMemoryBytes() },
          0,
        );
      }
      case 'stopped':
        if (this.#snapshotWanted) await this.#finalSnapshot(mainLoop, assignment);
        return await this.#leaveStopped(mainLoop);
      default:
        return assertNever(outcome, 'outcome of training');
    }
  }

  async #build(assignment: Assignment): Promise<MainLoop> {
    const { spec, programFile, environment } = assignment;
    Object.assign(process.env, environment);
    // What is trained here is said by the spec, whatever the user of this machine has set for a desk.
    Object.assign(config, { defaultSeed: spec.seed, logBackend: 'python', profile: false, tempDir: null });
    const program = await loadProgram(programFile);
    return await program.build({
      params: spec.params,
      seed: spec.seed,
      random: new RandomStreams(spec.seed),
      datasets: datasetsIn(assignment),
      target: computeTarget(spec.resources),
      extensions: () =>
        hostExtensions({
          parent: this.#parent,
          hold: this.#hold,
          everyBatches: spec.checkpoint.everyBatches,
          onNonFinite: spec.onNonFinite,
          snapshotFolder: join(assignment.workFolder, 'snapshots'),
          onSnapshot: async (snapshot) => await this.#handover.handOver(snapshot),
          onWritten: this.#handover.written,
          tell: (message) => this.#tell(message),
        }),
      outputs: await Outputs.open(join(assignment.workFolder, 'outputs')),
    });
  }

  async #restore(mainLoop: MainLoop, { checkpointFolder, fork }: Assignment): Promise<void> {
    let startStep = 0;
    let environmentChanged: readonly string[] = [];
    if (checkpointFolder !== null) {
      try {
        ({ step: startStep, environmentChanged } = await restoreSnapshot(mainLoop, checkpointFolder, { fork }));
      } catch (error) {
        if (!(error instanceof StateMismatch)) throw error;
        throw fork === null ? new CheckpointUnreadable(error) : new ForkUnfit(error);
      }
    }
    const { environment, hyperparameters } = mainLoop;
    this.#tell({
      type: 'started',
      startStep,
      engine: environment.engine,
      environment: { ...environment },
      environmentChanged: [...environmentChanged],
      hyperparameters: finite(await hyperparameters.values()),
    });
    // What is in the checkpoint the record may have lost.
    for (const setting of hyperparameters.applied) this.#tellSet(setting);
    hyperparameters.onApplied((setting) => this.#tellSet(setting));
    process.stderr.write(`[longrun] Trains on ${describeTarget(mainLoop.target)}.\n`);
    if (environmentChanged.length > 0)
      process.stderr.write(
        `[longrun] The numeric environment is not that of the checkpoint (${environmentChanged.join(', ')}): ` +
          'from here on the last bits may differ from those of an undisturbed run.\n',
      );
  }

  /** Has hyperparameters set before the next batch, or before that at which they were set once. */
  #set(settings: readonly HyperparameterSetting[]): void {
    const mainLoop = this.#mainLoop;
    if (mainLoop === undefined || !this.#isRestored) {
      this.#settings.push(...settings);
      return;
    }
    for (const setting of settings.filter(({ number }) => !this.#unfit.has(number))) {
      try {
        mainLoop.hyperparameters.set([setting]);
      } catch (error) {
        // Its names were those of an attempt before, of another version of a library perhaps.
        this.#unfit.add(setting.number);
        const reason = error instanceof Error ? error.message : String(error);
        process.stderr.write(`[longrun] Setting ${setting.number} is left out: ${reason}.\n`);
      }
    }
  }

  #tellSet({ number, step }: AppliedSetting): void {
    this.#tell({ type: 'hyperparameters_set', number, step });
  }

  /** What is trained after it, nobody will know. It is not waited for: the worker has it, whatever becomes of this process. */
  async #finalSnapshot(mainLoop: MainLoop, { workFolder }: Assignment): Promise<WrittenSnapshot> {
    this.#progress.atStage('the final snapshot');
    const folder = join(workFolder, 'snapshots', 'final');
    const snapshot = await writeSnapshot(mainLoop, folder, { isHandedOver: true, onWritten: this.#handover.written });
    this.#tell(announcement(folder, snapshot, true));
    return snapshot;
  }

  async #leaveStopped(mainLoop: MainLoop): Promise<void> {
    // Who goes on may add to the row of this step, and tells it again; if nobody does it has been told.
    mainLoop.log.complete(mainLoop.status.iterationsDone);
    await this.#leave({ type: 'stopped', step: mainLoop.status.iterationsDone, peakMemoryBytes: peakMemoryBytes() }, 0);
  }

  #tell(message: TrainerMessage): void {
    this.#parent.send(message);
  }

  async #leave(message: TrainerMessage, exitCode: number): Promise<void> {
    await this.#parent.leave(message, exitCode);
  }
}

/** The files of the datasets, each with the name that the spec calls it by. */
function datasetsIn({ spec, datasetFiles }: Assignment): Record<string, DatasetFile> {
  const files = Object.entries(datasetsOf(spec)).map(([role, name]) => {
    const path = datasetFiles[role];
    if (path === undefined) throw new Error(`The assignment has no file of the dataset ${name} of the role ${role}`);
    return [role, { path, name }] as const;
  });
  return Object.fromEntries(files);
}

/** Without those that no JSON can say: they are not to be set to anything like it. */
function finite(values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)));
}

function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
