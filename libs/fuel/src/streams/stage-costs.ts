/** What a stage of a pipeline has taken since its stream was made. */
export interface StageCost {
  /** As it prints itself. */
  readonly stage: string;
  /** Batches or examples that it gave. */
  readonly deliveries: number;
  /** What it took by itself, without the stages below, in milliseconds: computing, and waiting for what is no stage, such as a disk or a thread. */
  readonly ms: number;
}

/** A line for each stage, the outermost first: what it took of a delivery, of all, and what part of the pipeline that is. */
export function costText(costs: readonly StageCost[]): string {
  const total = costs.reduce((sum, { ms }) => sum + ms, 0);
  const lines = costs.map(({ stage, deliveries, ms }) => [
    stage,
    `${deliveries} given`,
    deliveries === 0 ? '' : `${(ms / deliveries).toPrecision(3)} ms each`,
    total === 0 ? '' : `${Math.round((100 * ms) / total)} %`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map(([stage = '', ...cells]) =>
      [stage.padEnd(widths[0] ?? 0), ...cells.map((cell, at) => cell.padStart(widths[at + 1] ?? 0))]
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
