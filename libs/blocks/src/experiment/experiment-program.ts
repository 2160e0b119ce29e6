import type { RandomStreams } from '@longrun/serialization';
import type { ComputeTarget } from '@longrun/tensor';
import type { z } from 'zod';

import type { TrainingExtension } from '../extensions/training-extension.js';
import type { MainLoop } from '../main-loop/main-loop.js';
import type { Output } from '../outputs/output.js';
import type { Outputs } from '../outputs/outputs.js';
import { runAsMain } from './run-as-main.js';

/** What a program builds its main loop from. */
export interface BuildContext<P> {
  /** As the program's schema gives them. */
  readonly params: P;
  /** The experiment's; `random` is made from it. */
  readonly seed: number;
  /** All randomness of the experiment. To be handed to the main loop. */
  readonly random: RandomStreams;
  /** The dataset of the role `train`, or the only one. @throws MissingDataset when there are several and none of that role */
  readonly dataset: DatasetFile;
  /** All datasets, by the roles that the experiment gives them. */
  readonly datasets: Readonly<Record<string, DatasetFile>>;
  /** Where functions are to run. To be handed to the main loop: `...context.target`. */
  readonly target: ComputeTarget;
  /** Extensions of the host, for checkpoints, progress and the like. The program puts them after its own. */
  readonly extensions: () => readonly TrainingExtension[];
  /**
   * A file for the program to write: samples, pictures, tables. It is committed with each checkpoint and rolled back with it, so that
   * a run that was killed and resumed leaves the same bytes as one that was not. The same name gives the same file.
   *
   * @throws RangeError for something that is not a plain file name, or for one name too many
   */
  readonly output: (name: string) => Output;
  /**
   * An error to throw that refuses params for what only shows once there is a dataset: `throw invalidParam(['dims', 0], 'give 784')`.
   *
   * @param path the field, from the root of the params
   * @param message what is wrong, and what to do
   */
  readonly invalidParam: (path: ParamsIssue['path'], message: string) => InvalidParams;
}

/** What a host has a program built with. */
export interface HostContext extends Omit<BuildContext<unknown>, 'dataset' | 'output' | 'invalidParam'> {
  /** The files that `output(name)` is to give. The main loop is made to keep them. */
  readonly outputs: Outputs;
}

/** A dataset on this machine. */
export interface DatasetFile {
  /** An HDF5 file in Fuel's layout. */
  readonly path: string;
  /** What the dataset is called, for messages. */
  readonly name?: string;
}

/** The experiment has no dataset of a role that its program reads: the user's error. */
export class MissingDataset extends Error {
  override readonly name = 'MissingDataset';
  readonly role: string;

  constructor(role: string, given: readonly string[]) {
    super(
      `There is no dataset of the role ${role}; the experiment has datasets of the roles ${given.join(', ') || '(none)'}; give one of that role`,
    );
    this.role = role;
  }
}

/** A kind of experiment that can be submitted by name: its params, and how its main loop is built from them. */
export interface ExperimentProgram {
  readonly name: string;
  /** One sentence; empty when there is none. */
  readonly description: string;
  readonly params: z.ZodType;
  /** The params with defaults filled in. @throws InvalidParams saying what is wrong with which field */
  parseParams(params: unknown): unknown;
  /** Builds the main loop; the params are parsed first. @throws InvalidParams */
  build(context: HostContext): Promise<MainLoop>;
}

/** What is given to {@link defineExperiment}. */
export interface ExperimentDefinition<S extends z.ZodType> {
  /** Lower case, digits and dashes. */
  readonly name: string;
  readonly description?: string;
  /** Checks params before an experiment is queued. All that can be known to be wrong, it should refuse. */
  readonly params: S;
  /** Builds the main loop. With equal contexts it must build equal ones: that is what checkpoints go on from. */
  build(context: BuildContext<z.output<S>>): Promise<MainLoop> | MainLoop;
}

/** One thing wrong with params. */
export interface ParamsIssue {
  /** The field, from the root of the params: `['dims', 1]`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Params that a program does not take: the user's error. */
export class InvalidParams extends Error {
  override readonly name = 'InvalidParams';
  readonly program: string;
  readonly issues: readonly ParamsIssue[];

  constructor(program: string, issues: readonly ParamsIssue[]) {
    const listed = issues.map(
      ({ path, message }) =>
        `params${path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('')}: ${message}`,
    );
    super(`Program ${program} cannot take these params: ${listed.join('; ')}`);
    this.program = program;
    this.issues = issues;
  }
}

/**
 * Makes a program, the default export of its module. The module must be cheap to import
 * (no engine is loaded before a main loop runs), as params are checked where nothing is trained.
 * Where Node is started with the module itself, the program is trained as by `longrun run`: `node my-experiment.ts --dataset file.hdf5`.
 */
export function defineExperiment<S extends z.ZodType>(definition: ExperimentDefinition<S>): ExperimentProgram {
  const { name, params: schema } = definition;
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    throw new Error(`Program name "${name}" is not in lower case letters, digits and dashes; rename it`);
  }
  const parse = (params: unknown): z.output<S> => {
    const parsed = schema.safeParse(params);
    if (parsed.success) return parsed.data;
    const issues = parsed.error.issues.map((issue) => ({
      path: issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key)),
      // A rule of the program's own says the remedy beside its message: `params: { remedy }`.
      message: [issue.message, ...(issue.code === 'custom' ? [issue.params?.['remedy']] : [])]
        .filter((clause) => typeof clause === 'string')
        .join('; '),
    }));
    throw new InvalidParams(name, issues);
  };
  const program: ExperimentProgram = {
    name,
    description: definition.description ?? '',
    params: schema,
    parseParams: parse,
    async build({ outputs, ...context }) {
      const mainLoop = await definition.build({
        ...context,
        params: parse(context.params),
        get dataset() {
          return datasetForTraining(context.datasets);
        },
        output: (file) => outputs.output(file),
        invalidParam: (path, message) => new InvalidParams(name, [{ path, message }]),
      });
      mainLoop.keepOutputs(outputs);
      return mainLoop;
    },
  };
  runAsMain(defineExperiment, program);
  return program;
}

function datasetForTraining(datasets: Readonly<Record<string, DatasetFile>>): DatasetFile {
  const roles = Object.keys(datasets);
  const dataset = datasets['train'] ?? (roles.length === 1 ? datasets[roles[0] ?? ''] : undefined);
  if (dataset === undefined) throw new MissingDataset('train', roles);
  return dataset;
}
