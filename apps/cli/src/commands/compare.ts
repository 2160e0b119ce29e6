import type { Client } from '@longrun/client';
import { assertNever, type ExperimentComparison, type Json, visibleLine } from '@longrun/contracts';

import type { Terminal } from '../output/terminal.js';
import { ENDED } from './ended.js';
import { resolveExperiment, UnknownReference } from './reference.js';

interface ComparisonOutput {
  /** The comparison, as the API answers it. */
  readonly json: boolean;
}

/** Says how the results of two experiments compare; of one, with the experiment that it reproduces. The exit code. */
export async function compare(
  client: Client,
  terminal: Terminal,
  [text, other]: readonly [string, string | undefined],
  output: ComparisonOutput,
): Promise<number> {
  const id = await resolveExperiment(client, text);
  if (other !== undefined) {
    const [a, b] = [id, await resolveExperiment(client, other)];
    return printComparison(terminal, await client.experiments.comparison(a, b), output);
  }
  const { reproduces } = await client.experiments.get(id);
  if (reproduces !== null)
    return printComparison(terminal, await client.experiments.comparison(reproduces, id), output);
  throw new UnknownReference(`${id} reproduces no other experiment; give the one to compare it with`);
}

/** Prints a comparison. The exit code: 0 where two experiments are identical, {@link ENDED} `notYet` where one has not ended, else 1. */
export function printComparison(
  terminal: Terminal,
  comparison: ExperimentComparison,
  { json }: ComparisonOutput,
): number {
  if (json) terminal.printJson(comparison, 2);
  else terminal.print(comparisonText(comparison));
  switch (comparison.verdict) {
    case 'identical':
      return ENDED.well;
    case 'different':
    case 'incomparable':
      return 1;
    case 'undecided':
      return ENDED.notYet;
    default:
      return assertNever(comparison.verdict, 'verdict');
  }
}

/** A verdict with its reasons, a line for each. */
function comparisonText(comparison: ExperimentComparison): string {
  const { a, b, verdict, differences, environment } = comparison;
  const between = (ofA: string, ofB: string): string => `${ofA} in ${a.id}, ${ofB} in ${b.id}`;
  const statuses = between(a.status, b.status);
  const lines: string[] = [];
  if (differences === null) lines.push(`undecided: ${statuses}`);
  else if (verdict === 'identical')
    lines.push(
      `identical, sha256 ${a.parametersSha256}`,
      `  the parameters, ${differences.rows} rows of the log and all outputs are equal, bit for bit`,
    );
  else lines.push(`${verdict}: ${statuses}`, ...differenceLines(comparison, differences, between));
  if (environment.length > 0) lines.push('  bits repeat only in one numeric environment, and these differ:');
  for (const entry of environment)
    lines.push(`    ${visibleLine(entry.name)}: ${between(valuesText(entry.a), valuesText(entry.b))}`);
  return lines.join('\n');
}

function differenceLines(
  { a, b }: ExperimentComparison,
  { rows, log, parameters, outputs }: NonNullable<ExperimentComparison['differences']>,
  between: (ofA: string, ofB: string) => string,
): string[] {
  const lines =
    log === null
      ? [`the logs are equal (${rows} rows)`]
      : [
          `the logs part at step ${log.step}, ${visibleLine(log.record)}: ${between(valueText(log.a), valueText(log.b))}`,
        ];
  if (a.parametersSha256 !== b.parametersSha256)
    lines.push(`the parameters differ: ${between(a.parametersSha256 ?? 'none', b.parametersSha256 ?? 'none')}`);
  for (const name of parameters) lines.push(`  ${visibleLine(name)}`);
  for (const output of outputs)
    lines.push(`the output ${visibleLine(output.name)} differs: ${between(output.a ?? 'none', output.b ?? 'none')}`);
  return lines.map((line) => `  ${line}`);
}

function valueText(value: Json | undefined): string {
  return value === undefined ? 'nothing' : visibleLine(typeof value === 'string' ? value : JSON.stringify(value));
}

/** One after the other, as the attempts had them. */
function valuesText(values: readonly Json[]): string {
  return values.length === 0 ? 'nothing' : values.map(valueText).join(', then ');
}
