import { ExperimentOutcome } from '@longrun/contracts';
import { type CheckpointListing, type Json, maskedUrl } from '@longrun/serialization';

import { ago, size } from '../../output/amounts.js';
import { table } from '../../output/table.js';
import type { Terminal } from '../../output/terminal.js';
import { type CheckpointPlace, reading } from './reading.js';

/** Lists the checkpoints of an experiment, newest first. */
export async function listCheckpoints(
  terminal: Terminal,
  options: CheckpointPlace & { readonly json: boolean },
): Promise<void> {
  const { prefix, url, listing } = await reading(options, async (reader) => ({
    prefix: reader.prefix,
    url: maskedUrl(reader.store.url),
    listing: await reader.list(),
  }));
  const { fence, holder, outcome, log } = listing.head;
  const checkpoints = listed(listing);
  if (options.json) {
    const keptLog = log === null ? null : { fence: log.fence, createdAt: log.createdAt, rows: rowsIn(log.log) };
    return terminal.printJson({ prefix, objects: url, fence, holder, outcome, log: keptLog, checkpoints }, 2);
  }
  terminal.print(`${terminal.style('bold', prefix)}  fence ${fence} (${holder}), ${outcomeText(outcome)}`);
  if (checkpoints.length === 0) return terminal.say(`${prefix} has no checkpoints yet.`);
  const rows = checkpoints.map((each) => [
    each.name,
    String(each.step),
    'fence' in each ? String(each.fence) : '',
    'createdAt' in each ? ago(each.createdAt) : '',
    'files' in each ? String(each.files) : '',
    'sizeBytes' in each ? size(each.sizeBytes) : '',
    'logRows' in each ? String(each.logRows) : '',
    [each.newest ? 'newest' : '', 'damage' in each ? terminal.style('red', each.damage) : ''].join(' ').trim(),
  ]);
  terminal.print(
    table(['CHECKPOINT', 'STEP', 'FENCE', 'SAVED', 'FILES', 'SIZE', 'LOG ROWS', ''], rows, {
      right: ['STEP', 'FENCE', 'FILES', 'SIZE', 'LOG ROWS'],
      width: terminal.resultColumns,
    }),
  );
}

function listed({ checkpoints }: CheckpointListing) {
  return checkpoints.map(({ name, entry, manifest, reason }, index) => {
    const common = { name, step: entry.step, newest: index === 0 };
    if (manifest === undefined) return { ...common, damage: reason };
    const { fence, createdAt, files, log } = manifest;
    const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
    return { ...common, fence, createdAt, files: files.length, sizeBytes, logRows: rowsIn(log) };
  });
}

function rowsIn(log: readonly { readonly rows: number }[]): number {
  return log.reduce((sum, { rows }) => sum + rows, 0);
}

function outcomeText(outcome: Json): string {
  if (outcome === null) return 'has not ended';
  const ended = ExperimentOutcome.safeParse(outcome).data;
  return ended === undefined ? `ended: ${JSON.stringify(outcome)}` : `${ended.reason} at step ${ended.step}`;
}
