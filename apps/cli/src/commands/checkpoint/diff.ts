import { assertNever } from '@longrun/contracts';
import {
  compareCheckpoints,
  type Comparison,
  type FileComparison,
  type Json,
  type TensorComparison,
  type TensorFacts,
} from '@longrun/serialization';

import { table } from '../../output/table.js';
import type { Terminal } from '../../output/terminal.js';
import { type CheckpointPlace, reading } from './reading.js';

/** Where the two checkpoints are. */
export interface DiffOptions extends CheckpointPlace {
  readonly json: boolean;
  /** The experiment that the second one is of. Default: the same. */
  readonly with?: string | undefined;
}

/** Says how two checkpoints, of an experiment or of two, differ: tensors by name, state by path. */
export async function diffCheckpoints(
  terminal: Terminal,
  [a, b]: readonly [string, string],
  options: DiffOptions,
): Promise<void> {
  const found = await reading(options, async (source) => {
    const other = options.with === undefined ? source : await source.of(options.with);
    return source.read(
      a,
      async (inA) =>
        other.read(
          b,
          async (inB) => ({
            a: inA.name,
            b: inB.name,
            ...(await compareCheckpoints(source.objects, inA.manifest, inB.manifest)),
          }),
          { isDoubtful: isPartial },
        ),
      { isDoubtful: isPartial },
    );
  });
  if (options.json) return terminal.printJson(found, 2);
  terminal.print(`${terminal.style('bold', found.a)} (A) and ${terminal.style('bold', found.b)} (B)`);
  for (const file of found.files) terminal.print(fileText(file, terminal));
}

function isPartial({ files }: Comparison): boolean {
  return files.some(({ reason }) => reason !== undefined);
}

function fileText({ name, kind, tensors, values, reason }: FileComparison, terminal: Terminal): string {
  const title = `\n${terminal.style('bold', name)}  ${KINDS[kind]}${reason === undefined ? '' : `: ${reason}`}`;
  const lines = [...(tensors === undefined ? [] : tensorLines(tensors)), ...valueLines(values ?? [])];
  return [title, ...lines.map((line) => `  ${line}`)].join('\n');
}

const KINDS: Readonly<Record<FileComparison['kind'], string>> = {
  'only-a': 'only in A',
  'only-b': 'only in B',
  equal: 'equal, bit for bit',
  changed: 'differs',
};

function tensorLines(tensors: readonly TensorComparison[]): string[] {
  return table(
    ['TENSOR', 'DIFFERENCE'],
    tensors.map((tensor) => [tensor.name, tensorText(tensor)]),
  ).split('\n');
}

function tensorText(tensor: TensorComparison): string {
  switch (tensor.kind) {
    case 'only-a':
    case 'only-b':
      return `${KINDS[tensor.kind]}: ${factsText(tensor.facts)}`;
    case 'retyped':
      return `${factsText(tensor.a)} in A, ${factsText(tensor.b)} in B`;
    case 'equal':
      return KINDS.equal;
    case 'changed': {
      const { elements, maxAbsDifference, nonFinite } = tensor;
      const infinite = nonFinite === 0 ? '' : `, ${nonFinite} of them by NaN or infinity`;
      return `${elements} ${elements === 1 ? 'element' : 'elements'}, by ${maxAbsDifference} at most${infinite}`;
    }
    default:
      return assertNever(tensor, 'tensor comparison');
  }
}

function factsText({ dtype, shape }: TensorFacts): string {
  return `${dtype} (${shape.join(', ')})`;
}

function valueLines(values: NonNullable<FileComparison['values']>): string[] {
  const lines = values.slice(0, MOST_VALUES).map(({ path, a, b }) => `${path}: ${valueText(a)} → ${valueText(b)}`);
  return values.length > MOST_VALUES ? [...lines, `and ${values.length - MOST_VALUES} more; --json has all`] : lines;
}

function valueText(value: Json | undefined): string {
  if (value === undefined) return 'absent';
  const text = JSON.stringify(value);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}

const MOST_VALUES = 40;
const MOST_CHARACTERS = 60;
