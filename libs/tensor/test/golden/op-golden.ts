import { readdirSync, readFileSync } from 'node:fs';

import { decodeSafetensors, type NdArray } from '@longrun/serialization';

/** A parameter of an op, as JSON has it. */
export type GoldenParameter = string | number | boolean | null | readonly GoldenParameter[] | GoldenParameters;

/** Parameters of an op by name. */
export interface GoldenParameters {
  readonly [name: string]: GoldenParameter;
}

/** One application of an op, and what comes of it; op_goldens/golden.py says how it is made. */
export interface OpGolden {
  readonly op: string;
  readonly name: string;
  readonly parameters: GoldenParameters;
  readonly inputs: readonly NdArray[];
  readonly outputs: readonly NdArray[];
  readonly ulps: number;
  /** How large the terms of the outputs, or of the gradients, are where they may cancel. */
  readonly scales: readonly (number | NdArray | undefined)[];
  readonly gradientScales: readonly (number | NdArray | undefined)[];
  /** Gradients handed to the float outputs, and what they give for the inputs: undefined for those that are not floats. Empty where gradients are not compared. */
  readonly outputGradients: readonly (NdArray | undefined)[];
  readonly gradients: readonly (NdArray | undefined)[];
}

/** All goldens of ops, by op. */
export function opGoldens(): Map<string, OpGolden[]> {
  const folder = new URL('ops/', import.meta.url);
  const goldens = new Map<string, OpGolden[]>();
  for (const file of readdirSync(folder)) {
    const { tensors, metadata } = decodeSafetensors(readFileSync(new URL(file, folder)), file);
    const cases: StoredCase[] = JSON.parse(metadata['cases'] ?? '[]');
    for (const stored of cases) {
      const golden = restored(stored, (name) => {
        const tensor = tensors.get(name);
        if (tensor === undefined) throw new Error(`${file}: ${stored.op}, ${stored.name}: there is no tensor ${name}`);
        return tensor;
      });
      goldens.set(golden.op, [...(goldens.get(golden.op) ?? []), golden]);
    }
  }
  return goldens;
}

interface StoredCase {
  readonly op: string;
  readonly name: string;
  readonly parameters: GoldenParameters;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly ulps: number;
  readonly scale?: number;
  readonly scales?: readonly (string | null)[];
  readonly gradientScales?: readonly (string | null)[];
  readonly outputGradients?: readonly (string | null)[];
  readonly gradients?: readonly (string | null)[];
}

function restored(stored: StoredCase, tensor: (name: string) => NdArray): OpGolden {
  const { op, name, parameters, ulps, scale } = stored;
  const optional = (one: string | null): NdArray | undefined => (one === null ? undefined : tensor(one));
  const [inputs, outputs] = [stored.inputs.map(tensor), stored.outputs.map(tensor)];
  return {
    op,
    name,
    parameters,
    inputs,
    outputs,
    ulps,
    scales: stored.scales?.map(optional) ?? outputs.map(() => scale),
    gradientScales: stored.gradientScales?.map(optional) ?? inputs.map(() => scale),
    outputGradients: stored.outputGradients?.map(optional) ?? [],
    gradients: stored.gradients?.map(optional) ?? [],
  };
}
