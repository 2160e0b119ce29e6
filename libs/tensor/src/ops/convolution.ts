import { at } from '../arrays/at.js';
import { shown } from '../graph/arguments.js';
import { commonShape, formatShape, isFloat, isKnown, TensorTypeError, type Dim } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { whyFiltersAreNone } from './conv-output-shape.js';
import { windowCount, windowsOfAxis, type Windows } from './windows.js';

/** The parameters of a convolution and of what its gradients are made of. */
export type ConvolutionParameters = Windows & {
  /** Into how many groups the channels are divided, each with filters of its own. */
  readonly groups: number;
};

/** The shapes of image, filters and output: what is known of each, all four axes or nothing. */
export interface ConvolutionShapes<D extends Dim> {
  /** (batch, channels, rows, columns) */
  readonly image: readonly D[];
  /** (output channels, channels / groups, rows, columns) */
  readonly filters: readonly D[];
  /** (batch, output channels, rows, columns) */
  readonly output: readonly D[];
}

/** Throws unless the inputs named are floats of four axes. */
export function checkOperands(opName: string, operands: readonly Variable[]): void {
  const wrong = operands.find(({ dtype, ndim }) => !isFloat(dtype) || ndim !== 4);
  if (wrong === undefined) return;
  throw new TensorTypeError(
    `${opName}: ${describe(wrong)} must have four axes, (batch, channels, rows, columns) or (output channels, channels, rows, columns), and be a float; reshape it or cast it`,
  );
}

/** Throws unless `groups` is a number of groups. */
export function checkGroups(opName: string, x: Variable, groups: number): void {
  if (Number.isInteger(groups) && groups >= 1) return;
  throw new TensorTypeError(
    `${opName}: the channels of ${describe(x)} cannot be divided into ${shown(groups)} groups; give an integer of 1 or more`,
  );
}

/** The shape that the output has, given those of image and filters. */
export function outputShape(
  { image, filters }: Pick<ConvolutionShapes<Dim>, 'image' | 'filters'>,
  parameters: ConvolutionParameters,
): Dim[] {
  const counts = ([0, 1] as const).map((axis) =>
    windowCount(at(image, axis + 2), at(filters, axis + 2), windowsOfAxis(parameters, axis)),
  );
  return [at(image, 0), at(filters, 0), ...counts];
}

/** Throws, naming op and operands, unless the shapes are those of one convolution as far as they are known. */
export function checkShapes(
  opName: string,
  operands: readonly Variable[],
  shapes: ConvolutionShapes<Dim>,
  parameters: ConvolutionParameters,
): void {
  const reason = whyTheyDoNotFit(shapes, parameters);
  if (reason !== undefined) throw new TensorTypeError(`${opName}: ${operands.map(describe).join(' and ')}: ${reason}`);
}

function whyTheyDoNotFit(
  { image, filters, output }: ConvolutionShapes<Dim>,
  parameters: ConvolutionParameters,
): string | undefined {
  const { groups } = parameters;
  const [channels, perGroup, outputs] = [at(image, 1), at(filters, 1), at(filters, 0)];
  if (isKnown(channels) && isKnown(perGroup) && channels !== perGroup * groups) {
    return `the image has ${channels} channels, the filters take ${perGroup} in each of ${groups} groups; these must be as many`;
  }
  if (isKnown(outputs) && outputs % groups !== 0) {
    return `${outputs} output channels cannot be divided into ${groups} groups; give a number that divides them`;
  }
  const reason = whyFiltersAreNone(filters);
  if (reason !== undefined) return reason;
  const expected = outputShape({ image, filters }, parameters);
  if (expected.some((size, axis) => axis > 1 && isKnown(size) && size < 1)) {
    return `filters of ${formatShape(filters)} are larger than the image of ${formatShape(image)}; give smaller ones, or a border`;
  }
  if (commonShape(expected, output) !== undefined) return undefined;
  return `an image of ${formatShape(image)} and filters of ${formatShape(filters)} make ${formatShape(expected)}, not ${formatShape(output)}; the sizes must be those of one convolution`;
}

/** The variable of the same shape that the caller gave, where this is its cast or its flip: for errors. */
export function asGiven(variable: Variable): Variable {
  const { owner } = variable;
  if (owner === null || variable.name !== undefined) return variable;
  const isFlip = owner.op.name === 'slice' && owner.op.parameters['step'] === -1;
  return isFlip || owner.op.name === 'cast' ? asGiven(at(owner.inputs, 0)) : variable;
}

/** Visits each product that a convolution sums: the offsets of its two factors and of the sum, in row-major arrays. */
export function forEachTerm(
  { image, filters, output }: ConvolutionShapes<number>,
  parameters: ConvolutionParameters,
  visit: (inImage: number, inFilters: number, inOutput: number) => void,
): void {
  const [channels, height, width] = [at(image, 1), at(image, 2), at(image, 3)];
  const [outputs, perGroup, filterRows, filterColumns] = [
    at(filters, 0),
    at(filters, 1),
    at(filters, 2),
    at(filters, 3),
  ];
  const [rows, columns] = [at(output, 2), at(output, 3)];
  const [vertical, horizontal] = [windowsOfAxis(parameters, 0), windowsOfAxis(parameters, 1)];
  const outputsPerGroup = outputs / parameters.groups;
  const plane = rows * columns;
  for (let inOutput = 0; inOutput < at(image, 0) * outputs * plane; inOutput += 1) {
    const [column, row] = [inOutput % columns, Math.floor(inOutput / columns) % rows];
    const [to, example] = [Math.floor(inOutput / plane) % outputs, Math.floor(inOutput / (plane * outputs))];
    const firstChannel = example * channels + Math.floor(to / outputsPerGroup) * perGroup;
    for (let from = 0; from < perGroup; from += 1) {
      for (let i = 0; i < filterRows; i += 1) {
        const y = row * vertical.stride - vertical.before + i * vertical.dilation;
        if (y < 0 || y >= height) continue;
        for (let j = 0; j < filterColumns; j += 1) {
          const x = column * horizontal.stride - horizontal.before + j * horizontal.dilation;
          if (x < 0 || x >= width) continue;
          const inImage = ((firstChannel + from) * height + y) * width + x;
          visit(inImage, ((to * perGroup + from) * filterRows + i) * filterColumns + j, inOutput);
        }
      }
    }
  }
}
