import { assertNever } from '../assert-never.js';
import type { TensorFacts } from '../safetensors/safetensors-file.js';
import { shown } from '../shown.js';

/** One thing for which nothing is restored. */
export type RestoreFault =
  | {
      readonly kind: 'missing';
      readonly name: string;
      readonly wanted: TensorFacts;
      /** Names of the source like it of which nothing is wanted, the most like first. */
      readonly nearest: readonly string[];
    }
  | {
      readonly kind: 'unexpected';
      /** Its name in the source. */
      readonly name: string;
      readonly found: TensorFacts;
      /** Wanted names like it that the source has not, the most like first. */
      readonly nearest: readonly string[];
    }
  | {
      readonly kind: 'shape' | 'dtype';
      readonly name: string;
      readonly from: string;
      readonly wanted: TensorFacts;
      readonly found: TensorFacts;
    }
  | { readonly kind: 'ambiguous'; readonly name: string; readonly from: readonly string[] }
  | {
      readonly kind: 'unused';
      readonly option: 'select' | 'rename';
      /** The pattern that matches no wanted name, or the text of the function that chooses none; the name that the source has not. */
      readonly name: string;
    };

/** A source does not fit what is wanted of it, and nothing was restored. The message has every fault on a line of its own. */
export class RestoreRefused extends Error {
  override readonly name = 'RestoreRefused';
  readonly faults: readonly RestoreFault[];

  /** @param where names the source */
  constructor(where: string, faults: readonly RestoreFault[]) {
    const remedies = new Set(faults.map(remedyOf));
    super(
      `${where} does not fit what is to be restored from it, and nothing was:\n` +
        `${faults.map((fault) => `- ${described(fault)}\n`).join('')}${[...remedies].join('; ')}`,
    );
    this.faults = faults;
  }
}

function described(fault: RestoreFault): string {
  switch (fault.kind) {
    case 'missing':
      return `${shown(fault.name)} (${typed(fault.wanted)}) is missing${hint(fault.nearest, 'there is')}`;
    case 'unexpected':
      return `${shown(fault.name)} (${typed(fault.found)}) is there but not wanted${hint(fault.nearest, 'wanted is')}`;
    case 'shape':
    case 'dtype': {
      const from = fault.from === fault.name ? 'it' : shown(fault.from);
      return `${shown(fault.name)} is ${typed(fault.wanted)} but ${from} is ${typed(fault.found)} there`;
    }
    case 'ambiguous':
      return `${shown(fault.name)} could be each of ${fault.from.map(shown).join(', ')}`;
    case 'unused':
      return fault.option === 'select'
        ? `${shown(fault.name)} of select chooses no name that is wanted`
        : `${shown(fault.name)} of rename is not there`;
    default:
      return assertNever(fault);
  }
}

function typed({ dtype, shape }: TensorFacts): string {
  return `${dtype} (${shape.join(', ')})`;
}

function hint(names: readonly string[], lead: string): string {
  return names.length === 0 ? '' : `; ${lead} ${names.map(shown).join(', ')}`;
}

function remedyOf({ kind }: RestoreFault): string {
  switch (kind) {
    case 'missing':
      return "rename what has another name, or let what is missing stay as it is with onMissing: 'keep'";
    case 'unexpected':
      return "leave out what is not wanted with onUnexpected: 'ignore'";
    case 'shape':
      return "let what has another shape stay as it is with onShapeMismatch: 'keep', or take the part that both have with 'overlap'";
    case 'dtype':
      return "convert values that may change by it with onDTypeMismatch: 'cast'";
    case 'ambiguous':
      return 'rename all but one';
    case 'unused':
      return 'correct what rename and select name';
    default:
      return assertNever(kind);
  }
}
