import type { Client } from '@longrun/client';
import {
  type AttemptView,
  datasetsOf,
  type DatasetView,
  engineText,
  type ExperimentView,
  interruptions,
  type JsonObject,
  programReference,
  restarts,
  retryPolicy,
  settingText,
  shortProgram,
  visibleLine,
} from '@longrun/contracts';
import { stringify } from 'yaml';

import { ago, duration, size } from '../output/amounts.js';
import { rowText } from '../output/event-text.js';
import { statusText } from '../output/status-text.js';
import { table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { splitsText } from './ls.js';
import { resolveReference } from './reference.js';

/** Shows all there is to know about one experiment or dataset. */
export async function show(
  client: Client,
  terminal: Terminal,
  text: string,
  options: { json: boolean },
): Promise<void> {
  const { kind, id } = await resolveReference(client, text);
  const view = kind === 'experiment' ? await client.experiments.get(id) : await client.datasets.get(id);
  if (options.json) return terminal.printJson(view, 2);
  terminal.print('datasets' in view ? experimentText(view, terminal) : datasetText(view, terminal));
}

function experimentText(view: ExperimentView, terminal: Terminal): string {
  const { progress, result, checkpoints } = view;
  const [newest] = checkpoints;
  const facts: [string, string | undefined][] = [
    ['status', statusText(view, terminal)],
    ['', why(view)],
    ['progress', progress === null ? undefined : progressText(view)],
    ['restarts', restarts(view) === 0 ? undefined : `${restarts(view)} (${interruptions(view)})`],
    ['cost', nonFiniteText(view, terminal)],
    ['checkpoint', newest && `step ${newest.step}, ${size(newest.sizeBytes)}, ${ago(newest.at)}`],
    ...view.settings
      .slice(-SETTINGS_SHOWN)
      .map((setting, index): [string, string] => [index === 0 ? 'set' : '', settingText(setting)]),
    ['last row', result === null ? undefined : rowText(result.lastRow)],
    ['parameters', result === null ? undefined : `sha256 ${result.parametersSha256}`],
    ['program', programText(view)],
    ['from', originText(view)],
    ['reproduces', view.reproduces ?? undefined],
    ...datasetFacts(view),
    ['owner', ownerText(view)],
    ...times(view),
  ];
  return sections(`${visibleLine(view.name)}  ${view.id}`, facts, view.attempts, view.spec, terminal);
}

function datasetText(view: DatasetView, terminal: Terminal): string {
  const { result } = view;
  const facts: [string, string | undefined][] = [
    ['status', statusText(view, terminal)],
    ['', why(view)],
    ['examples', result === null ? undefined : splitsText(result.description.splits)],
    ...(result?.description.sources ?? []).map(({ name, dtype, shape, ragged }): [string, string] => [
      name,
      `${dtype} (${shape.join(', ')})${ragged ? ', ragged' : ''}`,
    ]),
    ['file', result === null ? undefined : `${size(result.sizeBytes)}, sha256 ${result.sha256}`],
    ...identityFacts(view),
    ['owner', ownerText(view)],
    ...times(view),
  ];
  return sections(`${visibleLine(view.name)}  ${view.id}`, facts, view.attempts, view.spec, terminal);
}

/** What a dataset was made of, and in whose place. */
function identityFacts({ result, predecessor }: DatasetView): [string, string | undefined][] {
  const identity = result?.identity ?? null;
  const files = (identity?.inputs ?? []).map(
    ({ name, sizeBytes, sha256 }) => `${visibleLine(name)}, ${size(sizeBytes)}, sha256 ${sha256}`,
  );
  const made =
    identity === null
      ? 'not known: an earlier version made it'
      : [`${identity.converter} ${identity.converterVersion}`, ...paramsText(identity.params)].join(', ');
  return [
    ['made by', result === null ? undefined : made],
    ...files.map((file, index): [string, string] => [index === 0 ? 'of' : '', file]),
    ['same as', result?.sameAs ?? undefined],
    ['before it', predecessor === null ? undefined : predecessorText(predecessor)],
  ];
}

/** As `size=28`. */
function paramsText(params: JsonObject): readonly string[] {
  return Object.entries(params).map(([name, value]) => visibleLine(`${name}=${JSON.stringify(value)}`));
}

function predecessorText({ id, sameContent }: NonNullable<DatasetView['predecessor']>): string {
  if (sameContent === null) return id;
  return `${id}, ${sameContent ? 'the same bytes' : 'other bytes'}`;
}

/** As it was meant when it was submitted. */
function programText({ spec, programSha256 }: ExperimentView): string {
  const { name } = programReference(spec.program);
  return programSha256 === null ? name : shortProgram(name, programSha256);
}

/** Where it went on from. */
function originText({ from }: ExperimentView): string | undefined {
  if (from === null) return undefined;
  const { experiment, step, changed } = from;
  return `step ${step} of ${experiment}${changed.length === 0 ? '' : `, with other ${changed.join(' and ')}`}`;
}

/** A line for each dataset, with its role where there are several. */
function datasetFacts({ spec, datasets }: ExperimentView): [string, string][] {
  const facts = Object.entries(datasetsOf(spec)).map(([role, name]): [string, string] => [
    role,
    `${name} (${datasets[role] ?? 'unknown'})`,
  ]);
  const [only, ...others] = facts;
  if (only !== undefined && others.length === 0 && spec.datasets === undefined) return [['dataset', only[1]]];
  return facts.map(([role, text], index) => [index === 0 ? 'datasets' : '', `${role}: ${text}`]);
}

function ownerText({ owner, project }: Pick<ExperimentView, 'owner' | 'project'>): string {
  return `${owner}, in project ${project}`;
}

function sections(
  title: string,
  facts: readonly [string, string | undefined][],
  attempts: readonly AttemptView[],
  spec: unknown,
  terminal: Terminal,
): string {
  const known = facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
  const width = Math.max(...known.map(([name]) => name.length)) + 2;
  return [
    terminal.style('bold', title),
    ...known.map(([name, value]) => `  ${terminal.style('dim', name.padEnd(width))}${value}`),
    '',
    terminal.style('bold', 'attempts'),
    ...indented(attempts.length === 0 ? 'none yet' : attemptTable(attempts, terminal)),
    '',
    terminal.style('bold', 'spec'),
    ...indented(stringify(spec).trimEnd()),
  ].join('\n');
}

function attemptTable(attempts: readonly AttemptView[], { resultColumns }: Terminal): string {
  const rows = attempts.map((attempt) => [
    String(attempt.fence),
    attempt.reason ?? attempt.status,
    attempt.startStep === null ? '' : `${attempt.startStep} → ${attempt.lastStep ?? '?'}`,
    attempt.startedAt === null
      ? ''
      : duration(Date.parse(attempt.endedAt ?? new Date().toISOString()) - Date.parse(attempt.startedAt)),
    attempt.peakMemoryBytes ? size(attempt.peakMemoryBytes) : '',
    engineText(attempt),
    attempt.workerId ?? '',
    attempt.message ?? '',
  ]);
  return table(['#', 'END', 'STEPS', 'TIME', 'MEMORY', 'ENGINE', 'WORKER', 'MESSAGE'], rows, {
    right: ['#', 'TIME', 'MEMORY'],
    width: resultColumns === undefined ? undefined : resultColumns - INDENT.length,
  });
}

function why(view: Pick<ExperimentView, 'reason' | 'message'>): string | undefined {
  if (view.message !== null) return view.message;
  return view.reason === null || view.reason === 'succeeded' ? undefined : retryPolicy[view.reason].explain;
}

function progressText({ progress, status }: ExperimentView): string {
  if (progress === null) return 'none yet';
  const { step, totalSteps, epoch, stepsPerSecond } = progress;
  const speed = status === 'running' ? `, ${Math.round(stepsPerSecond)} steps/s` : '';
  return `step ${step}${totalSteps === undefined ? '' : ` of ${totalSteps}`}, epoch ${epoch}${speed}`;
}

function nonFiniteText({ nonFinite }: ExperimentView, terminal: Terminal): string | undefined {
  if (nonFinite === null) return undefined;
  return terminal.style('red', `${nonFinite.record} is ${nonFinite.value} since step ${nonFinite.step}`);
}

function times(view: Pick<ExperimentView, 'createdAt' | 'startedAt' | 'endedAt'>): [string, string | undefined][] {
  const ended = view.endedAt === null ? undefined : Date.parse(view.endedAt) - Date.parse(view.createdAt);
  return [
    ['submitted', `${view.createdAt} (${ago(view.createdAt)})`],
    ['ended', view.endedAt === null || ended === undefined ? undefined : `${view.endedAt} (after ${duration(ended)})`],
  ];
}

/** The newest. */
const SETTINGS_SHOWN = 5;

const INDENT = '  ';

function indented(text: string): string[] {
  return text.split('\n').map((line) => INDENT + line);
}
