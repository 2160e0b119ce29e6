import type { CheckpointTensors, StoredCheckpointView } from '@longrun/contracts';
import { stringify } from 'yaml';

import { ago, size } from '../../output/amounts.js';
import { table } from '../../output/table.js';
import type { Terminal } from '../../output/terminal.js';
import { type CheckpointPlace, reading } from './reading.js';

/** Shows what a checkpoint consists of. Of its files only the headers of tensors are read. */
export async function showCheckpoint(
  terminal: Terminal,
  checkpoint: string,
  options: CheckpointPlace & { readonly json: boolean },
): Promise<void> {
  const found = await reading(options, (source) => source.view(checkpoint));
  if (options.json) return terminal.printJson(found, 2);
  terminal.print(asText(found, terminal));
}

function asText(found: StoredCheckpointView, terminal: Terminal): string {
  const {
    name,
    manifestKey,
    sha256,
    step,
    fence,
    createdAt,
    programSha256,
    datasets,
    environment,
    libraries,
    files,
    log,
    tensors,
  } = found;
  const facts = [
    ['step', String(step)],
    ['fence', String(fence)],
    ['saved', `${createdAt} (${ago(createdAt)})`],
    ['manifest', `${manifestKey}, sha256 ${sha256}`],
    ...(programSha256 === undefined ? [] : [['program', `sha256 ${programSha256}`]]),
    ...Object.entries(datasets ?? {}).map(([role, hash]) => [role, `sha256 ${hash}`]),
  ].map(([fact = '', value = '']) => `  ${terminal.style('dim', fact.padEnd(10))}${value}`);
  const section = (title: string, text: string): string[] => [
    '',
    terminal.style('bold', title),
    ...text.split('\n').map((line) => `  ${line}`),
  ];
  const fileRows = files.map((file) => [file.name, size(file.sizeBytes), file.copyKey ? '2' : '1', file.sha256]);
  const logRows = log.map((segment) => [
    `${segment.firstStep} to ${segment.lastStep}`,
    String(segment.rows),
    size(segment.sizeBytes),
    segment.sha256,
  ]);
  return [
    terminal.style('bold', name),
    ...facts,
    ...section('environment', stringify(environment).trimEnd()),
    ...(libraries === undefined ? [] : section('libraries', stringify(libraries).trimEnd())),
    ...section('files', table(['NAME', 'SIZE', 'COPIES', 'SHA-256'], fileRows, { right: ['SIZE', 'COPIES'] })),
    ...tensors.flatMap((each) => section(`tensors of ${each.file}`, tensorText(each, terminal))),
    ...section('log', table(['STEPS', 'ROWS', 'SIZE', 'SHA-256'], logRows, { right: ['ROWS', 'SIZE'] })),
  ].join('\n');
}

function tensorText(found: CheckpointTensors, terminal: Terminal): string {
  if ('reason' in found) return terminal.style('red', found.reason);
  if (found.tensors.length === 0) return 'none';
  return table(
    ['NAME', 'DTYPE', 'SHAPE'],
    found.tensors.map(({ name, dtype, shape }) => [name, dtype, `(${shape.join(', ')})`]),
  );
}
