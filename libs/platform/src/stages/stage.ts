const PREFIX = 'longrun-stage: ';

/** Says on stdout what this process does now, as one line: `longrun-stage: opening the record`. */
export function sayStage(stage: string): void {
  process.stdout.write(`${PREFIX}${stage}\n`);
}

/** The stage that was said last in what a process has printed; undefined when none was. */
export function newestStage(output: string): string | undefined {
  const line = output.split('\n').findLast((each) => each.startsWith(PREFIX));
  return line?.slice(PREFIX.length).trim();
}
