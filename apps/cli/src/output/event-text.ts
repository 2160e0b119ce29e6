import { assertNever, type Json, libraryChangeText, type LiveEvent, type LogRow } from '@longrun/contracts';

import { size } from './amounts.js';
import type { Terminal } from './terminal.js';

/** An event of an experiment as one line, or undefined for what is no line of a log. */
export function eventText(event: LiveEvent, terminal: Terminal): string | undefined {
  switch (event.type) {
    case 'progress':
    case 'caught-up':
      return undefined;
    case 'log_row':
      return `${terminal.style('dim', `step ${String(event.data.step).padStart(6)}`)}  ${rowText(event.data.row)}`;
    case 'line':
      return `${terminal.style(event.data.stream === 'stderr' ? 'yellow' : 'dim', '|')} ${event.data.text}`;
    case 'checkpoint':
      return terminal.style(
        'dim',
        `step ${String(event.data.step).padStart(6)}  checkpoint, ${size(event.data.sizeBytes)}`,
      );
    case 'attempt_started': {
      const { fence, workerId, startStep, restoredFrom, rejectedCheckpoints, environmentChanged, librariesChanged } =
        event.data;
      const from =
        restoredFrom === null ? 'from the start' : `from the checkpoint at step ${startStep}; later rows come again`;
      return [
        terminal.style('cyan', `attempt ${fence} starts on ${workerId} ${from}`),
        ...rejectedCheckpoints.map(({ step, reason }) =>
          terminal.style('yellow', `  the checkpoint at step ${step} was passed over: ${reason}`),
        ),
        ...(librariesChanged.length === 0
          ? []
          : [terminal.style('yellow', `  goes on with ${librariesChanged.map(libraryChangeText).join('; ')}`)]),
        ...(environmentChanged.length === 0
          ? []
          : [
              terminal.style(
                'yellow',
                `  the last bits may differ: ${environmentChanged.join(', ')} changed since that checkpoint`,
              ),
            ]),
      ].join('\n');
    }
    case 'attempt_ended': {
      const { fence, reason, message, step, peakMemoryBytes } = event.data;
      const facts = [
        step === null ? '' : ` at step ${step}`,
        peakMemoryBytes === null ? '' : `, peak memory ${size(peakMemoryBytes)}`,
      ];
      const style = reason === 'succeeded' ? 'green' : 'yellow';
      return terminal.style(
        style,
        `attempt ${fence} ended: ${reason}${facts.join('')}${message === null ? '' : `: ${message}`}`,
      );
    }
    case 'status': {
      const { status, reason, message, result } = event.data;
      const style = status === 'failed' ? 'red' : 'bold';
      const because = reason === null || reason === status ? '' : ` (${reason})`;
      const tail = result === null ? '' : `\nparameters sha256 ${result.parametersSha256}`;
      // The whole stack of an error stands where the attempt ended.
      const why = message === null ? '' : `: ${message.split('\n', 1)[0]}`;
      return terminal.style(style, `${status}${because}${why}`) + tail;
    }
    default:
      return assertNever(event, 'live event');
  }
}

/** `test_error 0.13  train_cost 0.41`, by name: the record keeps rows as JSON objects, without an order. */
export function rowText(row: LogRow): string {
  return Object.entries(row)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name} ${valueText(value)}`)
    .join('  ');
}

function valueText(value: Json): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(6)));
  return typeof value === 'string' ? value : JSON.stringify(value);
}
