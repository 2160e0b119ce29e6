import type { Apply } from '../graph/apply.js';
import type { OpInner } from '../graph/op.js';
import type { ScanParameters } from '../ops/scan-inputs.js';

/** The inner graph of a scan and what it does around it. */
export function scanOf({ op }: Apply): {
  readonly inner: OpInner;
  readonly parameters: ScanParameters;
} {
  if (op.inner === undefined) throw new Error(`${op.name} has no inner graph`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- those of the op of that name
  return { inner: op.inner, parameters: op.parameters as ScanParameters };
}
