import { type StoredCheckpoint, type StoredTensors, tensorsOf } from '@longrun/serialization';
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
  const found = await reading(options, async (reader) =>
    reader.read(
      checkpoint,
      async (stored) => ({ ...stored, tensors: await tensorsOf(reader.store, stored.manifest) }),
      { isDoubtful: ({ tensors }) => tensors.some(({ reason }) => reason !== undefined) },
    ),
  );
  if (options.json) return terminal.printJson(asJson(found), 2);
  terminal.print(asText(found, terminal));
}

interface Shown extends StoredCheckpoint {
  readonly tensors: readonly StoredTensors[];
}

function asJson({ name, entry, manifest, tensors }: Shown): unknown {
  return {
    name,
    manifestKey: entry.manifestKey,
    sha256: entry.sha256,
    ...manifest,
    tensors: tensors.map(({ file, tensors: byName, reason }) =>
      byName === undefined
        ? { file, reason }
        : { file, tensors: [...byName].map(([tensor, facts]) => ({ name: tensor, ...facts })) },
    ),
  };
}

function asText({ name, entry, manifest, tensors }: Shown, terminal: Terminal): string {
  const { step, fence, createdAt, environment, files, log } = manifest;
  const facts = [
    ['step', String(step)],
    ['fence', String(fence)],
    ['saved', `${createdAt} (${ago(createdAt)})`],
    ['manifest', `${entry.manifestKey}, sha256 ${entry.sha256}`],
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
    ...section('files', table(['NAME', 'SIZE', 'COPIES', 'SHA-256'], fileRows, { right: ['SIZE', 'COPIES'] })),
    ...tensors.flatMap((each) => section(`tensors of ${each.file}`, tensorText(each, terminal))),
    ...section('log', table(['STEPS', 'ROWS', 'SIZE', 'SHA-256'], logRows, { right: ['ROWS', 'SIZE'] })),
  ].join('\n');
}

function tensorText({ tensors, reason }: StoredTensors, terminal: Terminal): string {
  if (tensors === undefined) return terminal.style('red', reason);
  if (tensors.size === 0) return 'none';
  return table(
    ['NAME', 'DTYPE', 'SHAPE'],
    [...tensors].map(([name, { dtype, shape }]) => [name, dtype, `(${shape.join(', ')})`]),
  );
}
