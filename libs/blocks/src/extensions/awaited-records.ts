import { nearestNames } from '@longrun/serialization';

import { FINISH_REQUESTED, type TrainingLogBase } from '../log/training-log-base.js';

/**
 * Warns, once, of records that an extension goes by and that nobody has written to the log by the end of the first epoch, or of training where that comes first: their names may be
 * misspelt. It is no error, as a record may come later. To be called as the extension is attached.
 *
 * @param extension its name
 */
export function awaitRecords(extension: string, log: TrainingLogBase, records: Iterable<string>): void {
  const missing = new Set(records);
  let isFirst = true;
  let isOver = false;
  log.onRow((time, row) => {
    if (isOver) return;
    const end = log.status.epochEnds[0] ?? (log.status.trainingFinished ? time : Infinity);
    // Of training that goes on after its first epoch, the process that ended that has looked.
    isOver = time >= end || missing.size === 0;
    const isLate = isFirst && time > end;
    isFirst = false;
    for (const name of missing) if (name in row) missing.delete(name);
    if (!isOver || isLate) return;
    const written = writtenIn(log);
    const never = [...missing].filter((name) => !written.has(name));
    if (never.length > 0) process.emitWarning(sentence(extension, never, [...written]), 'ExtensionWarning');
  });
}

/** The names of all records in memory, but those of the main loop. */
function writtenIn({ rows }: TrainingLogBase): ReadonlySet<string> {
  const names = new Set([...rows.values()].flatMap((row) => Object.keys(row)));
  for (const own of [FINISH_REQUESTED, 'training_finished']) names.delete(own);
  return names;
}

function sentence(extension: string, never: readonly string[], written: readonly string[]): string {
  const [records, are] = never.length === 1 ? ['record', 'is'] : ['records', 'are'];
  const near = new Set(never.flatMap((name) => nearestNames(name, written).slice(0, 1)));
  const others = written.length - MOST_SHOWN;
  const there = written.length === 0 ? 'none' : written.slice(0, MOST_SHOWN).join(', ');
  return [
    `${extension} goes by the ${records} ${never.join(', ')}, which ${are} not in the log by the end of the first epoch;`,
    `there are ${there}${others > 0 ? ` and ${others} more` : ''}.`,
    ...(near.size === 0 ? [] : [`Did you mean ${[...near].join(', ')}?`]),
  ].join(' ');
}

const MOST_SHOWN = 20;
