import { and, type SharedVariable, type Variable } from '@longrun/tensor';

/** Of parameters that are not trained at all steps, whether one is trained at this step: a scalar, the same one for those that are trained at the same steps. */
export type TrainedNow = ReadonlyMap<SharedVariable, Variable>;

let known: TrainedNow = new Map();

/** What the rules around the one that asks tell of parameters that are frozen at times. */
export function trainedNow(): TrainedNow {
  return known;
}

/** Has the rules that make steps in `make` know of parameters that are frozen at times, besides what those around them have said. */
export function tellingTrained<T>(trained: TrainedNow, make: () => T): T {
  const around = known;
  known = both(around, trained);
  try {
    return make();
  } finally {
    known = around;
  }
}

function both(around: TrainedNow, trained: TrainedNow): TrainedNow {
  const made = new Map<Variable, Map<Variable, Variable>>();
  const all = new Map(around);
  for (const [parameter, inside] of trained) {
    const outside = around.get(parameter);
    if (outside === undefined) {
      all.set(parameter, inside);
      continue;
    }
    const ofOutside = made.get(outside) ?? new Map<Variable, Variable>();
    made.set(outside, ofOutside);
    const condition = ofOutside.get(inside) ?? and(outside, inside);
    ofOutside.set(inside, condition);
    all.set(parameter, condition);
  }
  return all;
}
