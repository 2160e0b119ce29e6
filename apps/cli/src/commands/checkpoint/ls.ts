import { ExperimentOutcome, type Json, type StoredCheckpointList } from '@longrun/contracts';

import { ago, size } from '../../output/amounts.js';
import { table } from '../../output/table.js';
import type { Terminal } from '../../output/terminal.js';
import { holdersText, isPin } from './holds-text.js';
import { type CheckpointPlace, reading } from './reading.js';

/** Lists the checkpoints of an experiment, newest first. */
export async function listCheckpoints(
  terminal: Terminal,
  options: CheckpointPlace & { readonly json: boolean },
): Promise<void> {
  const { prefix, place, list } = await reading(options, async (source) => ({
    prefix: source.prefix,
    place: source.place,
    list: await source.list(),
  }));
  const { fence, holder, outcome, log } = list;
  const checkpoints = listed(list);
  if (options.json) return terminal.printJson({ prefix, ...place, fence, holder, outcome, log, checkpoints }, 2);
  const lease = fence === null ? 'never begun' : `fence ${fence} (${holder}), ${outcomeText(outcome)}`;
  terminal.print(`${terminal.style('bold', prefix)}  ${lease}`);
  if (checkpoints.length === 0) return terminal.say(`${prefix} has no checkpoints yet.`);
  const rows = checkpoints.map((each) => [
    each.name,
    String(each.step),
    'fence' in each ? String(each.fence) : '',
    'createdAt' in each ? ago(each.createdAt) : '',
    'files' in each ? String(each.files) : '',
    'sizeBytes' in each ? size(each.sizeBytes) : '',
    'logRows' in each ? String(each.logRows) : '',
    [
      ...(each.newest ? ['newest'] : []),
      ...(each.holds.some(isPin) ? ['pinned'] : []),
      ...holdersText(each.holds).map((who) => `held by ${who}`),
      ...('damage' in each ? [terminal.style('red', each.damage)] : []),
    ].join(', '),
  ]);
  terminal.print(
    table(['CHECKPOINT', 'STEP', 'FENCE', 'SAVED', 'FILES', 'SIZE', 'LOG ROWS', ''], rows, {
      right: ['STEP', 'FENCE', 'FILES', 'SIZE', 'LOG ROWS'],
      width: terminal.resultColumns,
    }),
  );
}

function listed({ items }: StoredCheckpointList) {
  return items.map(({ damage, createdAt, files, holds, ...facts }, index) => {
    const common = { name: facts.name, step: facts.step, newest: index === 0, holds };
    if (createdAt === null || files === null) return { ...common, damage: damage ?? 'unknown' };
    const { fence, sizeBytes, logRows } = facts;
    return { ...common, fence, createdAt, files: files.length, sizeBytes: sizeBytes ?? 0, logRows: logRows ?? 0 };
  });
}

function outcomeText(outcome: Json): string {
  if (outcome === null) return 'has not ended';
  const ended = ExperimentOutcome.safeParse(outcome).data;
  return ended === undefined ? `ended: ${JSON.stringify(outcome)}` : `${ended.reason} at step ${ended.step}`;
}
