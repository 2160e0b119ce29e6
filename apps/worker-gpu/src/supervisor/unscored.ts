import { decodeNumber, likestFirst, nearestWord, visibleLine } from '@longrun/contracts';
import type { LogPart } from '@longrun/serialization';

/**
 * What to say of a run none of whose checkpoints has a score: that the record by which they are scored is not in its log, and what is. It depends on
 * the log alone.
 *
 * @param log of the run from its first row on
 * @returns sentences; undefined where the log has the record as a finite number, or a part of it is lost
 */
export async function unscoredText(record: string, log: AsyncIterable<LogPart>): Promise<string | undefined> {
  const names = new Set<string>();
  let lastStep = 0;
  for await (const { entries } of log) {
    if (entries === undefined) return undefined;
    for (const { step, row } of entries) {
      if (Number.isFinite(decodeNumber(row[record]))) return undefined;
      for (const name of Object.keys(row)) if (names.size < MOST_NAMES) names.add(name);
      lastStep = step;
    }
  }
  const logged = [...names];
  const what = names.has(record) ? 'logged, but never as a finite number,' : 'never logged';
  const near = names.has(record) ? undefined : nearestWord(record, logged);
  return [
    `checkpoint.keepBest.record is ${shown(record)}, which was ${what} up to step ${lastStep}: no checkpoint is kept as one of the best.`,
    logged.length === 0 ? 'Nothing was logged.' : `Logged were ${listed(record, logged)}.`,
    ...(near === undefined ? [] : [`Did you mean ${shown(near)}?`]),
  ].join(' ');
}

function listed(record: string, logged: readonly string[]): string {
  const others = logged.length - MOST_SHOWN;
  const shownNames = likestFirst(record, logged, MOST_SHOWN).map(shown).join(', ');
  return others > 0 ? `${shownNames} and ${others} more` : shownNames;
}

/** A program may call its records anything. */
function shown(name: string): string {
  return visibleLine(JSON.stringify(name.length > MOST_CHARACTERS ? `${name.slice(0, MOST_CHARACTERS)}…` : name));
}

const MOST_NAMES = 1_000;
const MOST_SHOWN = 20;
const MOST_CHARACTERS = 100;
