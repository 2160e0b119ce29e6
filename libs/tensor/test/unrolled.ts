import {
  concatenate,
  dimshuffle,
  reshape,
  slice,
  Variable,
  type scan,
  type TappedSequence,
  type TappedState,
} from '../src/index.js';
import { present } from './op-laws.js';

/** What `scan` promises, by applying the step as often as there are steps: an independent word on it, for known sizes. */
export const unrolled: typeof scan = (step, options) => {
  const sequences = (options.sequences ?? []).map((sequence): TappedSequence =>
    sequence instanceof Variable ? { input: sequence, taps: [0] } : sequence,
  );
  const infos = options.outputsInfo?.map((info): TappedState | null =>
    info instanceof Variable ? { initial: info, taps: [-1] } : info,
  );
  const histories = infos?.map((info) => (info === null ? [] : firstValues(info))) ?? [];
  const lengths = sequences.map(({ input, taps }) => {
    const [first, last] = [Math.min(0, ...taps), Math.max(0, ...taps)];
    return { start: -first, length: Number(input.shape[0]) - (last - first) };
  });
  const steps = options.nSteps === undefined ? present(lengths[0]).length : Number(options.nSteps);
  const outputs: Variable[][] = [];
  for (let index = 0; index < steps; index += 1) {
    const rows = sequences.flatMap(({ input, taps }, position) => {
      const { start, length } = present(lengths[position]);
      const at = start + (options.goBackwards === true ? length - 1 - index : index);
      return taps.map((tap) => row(input, at + tap));
    });
    const states = infos?.flatMap((info, position) =>
      info === null ? [] : info.taps.map((tap) => present(histories[position]?.at(tap))),
    );
    const given = step(...rows, ...(states ?? []), ...(options.nonSequences ?? []));
    const results = given instanceof Variable ? [given] : given;
    for (const [position, result] of results.entries()) {
      (outputs[position] ??= []).push(result);
      histories[position]?.push(result);
    }
  }
  return outputs.map((values) =>
    concatenate(values.map((value) => dimshuffle(value, ['x', ...value.shape.map((_, axis) => axis)]))),
  );
};

function firstValues({ initial, taps }: TappedState): Variable[] {
  const longest = -Math.min(...taps);
  return longest === 1 ? [initial] : Array.from({ length: longest }, (_, index) => row(initial, index));
}

function row(x: Variable, index: number): Variable {
  return reshape(slice(x, index, index + 1), x.shape.slice(1).map(Number));
}
