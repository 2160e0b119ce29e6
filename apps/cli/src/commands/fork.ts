import type { Client } from '@longrun/client';
import { type ExperimentView, programReference, shortProgram } from '@longrun/contracts';

import type { Terminal } from '../output/terminal.js';
import { parseOverride } from '../override.js';
import { parseSpec } from '../spec-file.js';
import { resolveExperiment } from './reference.js';
import { datasetOverride, makeSubmission, type SubmissionOptions } from './submit.js';

/** How an experiment goes on from another one. */
export interface ForkOptions extends SubmissionOptions {
  /** `name=value` of parameters that are others, in order. */
  readonly param: readonly string[];
  /** `path=value` of the spec, in order. */
  readonly set: readonly string[];
  /** Of the checkpoint. Default: of the newest. */
  readonly step?: number | undefined;
  /** Names or ids of other datasets, or `role=name`. Default: the same. */
  readonly dataset?: readonly string[] | undefined;
  /** What may be another one. Default: nothing. */
  readonly allow?: readonly string[] | undefined;
}

/**
 * Submits an experiment that goes on from a checkpoint of another one, with the spec of that but for what is given, and without its notes and
 * tags. The exit code.
 */
export async function fork(client: Client, terminal: Terminal, text: string, options: ForkOptions): Promise<number> {
  const parent = await client.experiments.get(await resolveExperiment(client, text));
  const { step, dataset = [], allow = [] } = options;
  const overrides = [
    ...dataset.map(datasetOverride),
    ...options.param.map((param) => parseOverride(`params.${param}`)),
    ...options.set.map(parseOverride),
  ];
  const spec = { ...specOf(parent), from: { experiment: parent.id, ...(step !== undefined && { step }), allow } };
  const submission = parseSpec(JSON.stringify(spec), `the spec of ${parent.id}`, overrides);
  return await makeSubmission(client, terminal, submission, options);
}

/** A spec that means the very program and datasets that an experiment has, whatever their names mean by now. */
function specOf({ spec, programSha256, datasets }: ExperimentView): object {
  const { notes: _notes, tags: _tags, from: _from, dataset, datasets: _datasets, program, ...rest } = spec;
  const { name } = programReference(program);
  return {
    ...rest,
    program: programSha256 === null ? program : shortProgram(name, programSha256),
    ...(dataset === undefined ? { datasets } : { dataset: datasets['train'] }),
  };
}
