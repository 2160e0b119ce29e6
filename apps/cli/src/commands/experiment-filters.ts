import { type ExperimentQueryInput, ExperimentStatus, nameText } from '@longrun/contracts';
import type { Command } from 'commander';

import { appended } from '../arguments.js';

/** Which experiments are meant: those that fit all of it. */
export interface ExperimentFilters extends Pick<
  ExperimentQueryInput,
  'status' | 'program' | 'dataset' | 'owner' | 'project' | 'name'
> {
  /** Conditions on metrics. */
  readonly where: readonly string[];
  /** Tags, all of which it has. */
  readonly tag: readonly string[];
}

/** The same command with the options of {@link ExperimentFilters}. */
export function withFilters(command: Command): Command {
  return command
    .option('--status <statuses>', `of these: ${ExperimentStatus.options.join(', ')}; commas between`)
    .option('--program <name>', 'of this program')
    .option('--dataset <name>', 'that use this dataset (name or id)')
    .option('--owner <owner>', 'of this owner')
    .option('--project <project>', 'in this project')
    .option('--name <text>', 'with this in the name, in whatever case')
    .option('--where <condition>', "on a metric's last value, as metric.valid_cost<0.3; repeatable", appended, [])
    .option('--tag <tag>', 'with this tag; repeatable: with all of them', appended, []);
}

/** The filters as a query has them; undefined for each that is not given. */
export function filterQuery(filters: ExperimentFilters) {
  const { status, program, dataset, owner, project, name, where, tag } = filters;
  return {
    status,
    program,
    dataset,
    owner,
    project,
    name,
    where: where.join(',') || undefined,
    tag: tag.map(nameText).join(',') || undefined,
  };
}
