import { at } from '../../../arrays/at.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import type { OnnxLowerings } from './lowering.js';
import { sizesOf } from './shapes.js';

export const random = {
  randomBits(graph, inputs, { node, parameters: { shape: sizes, width } }) {
    const state = at(inputs, 0);
    const shape = sizesOf(graph, inputs, sizes);
    const count = graph.add('ReduceProd', [shape, graph.int64Vector([0])]);
    const words = graph.add('Mul', [count, graph.int64Vector([width > 32 ? 2 : 1])]);
    const drawn = graph.add('Slice', [philoxWords(graph, state, words), graph.int64Vector([0]), words]);
    const flat = width > 32 ? joined(graph, drawn, width) : shiftRight(graph, drawn, 32 - width);
    const bits = graph.cast(flat, node.outputAt(0).dtype);
    const values = graph.add('Reshape', [bits, shape], { allowzero: { int: 1 } });
    return [values, graph.add('Add', [state, graph.int64Vector([0, 0, 1])])];
  },
} satisfies Partial<OnnxLowerings>;

const UINT64 = 13;

/** The first `count` words, and up to three more, of Philox4x32-10, as uint64: the products of 32-bit words need its width. */
function philoxWords(graph: OnnxGraph, state: string, count: string): string {
  const blocks = graph.add('Div', [graph.add('Add', [count, graph.int64Vector([3])]), graph.int64Vector([4])]);
  const zero = graph.int64Vector([0]);
  const limit = graph.add('Squeeze', [blocks, zero]);
  const block = wide(graph, graph.add('Range', [graph.scalar(0, 'int64'), limit, graph.scalar(1, 'int64')]));
  const entry = (position: number): string => wide(graph, graph.add('Gather', [state, graph.int64Vector([position])]));
  const index = entry(2);
  let c0 = block;
  let c1 = wide(graph, zero);
  let c2 = lower32(graph, index);
  let c3 = shiftRight(graph, index, 32);
  let k0 = entry(0);
  let k1 = entry(1);
  const [multiplier0, multiplier1] = [wideScalar(graph, 0xd2511f53), wideScalar(graph, 0xcd9e8d57)];
  const [weyl0, weyl1] = [wideScalar(graph, 0x9e3779b9), wideScalar(graph, 0xbb67ae85)];
  for (let round = 0; round < 10; round += 1) {
    const product0 = graph.add('Mul', [c0, multiplier0]);
    const product1 = graph.add('Mul', [c2, multiplier1]);
    c0 = xor(graph, shiftRight(graph, product1, 32), c1, k0);
    c1 = lower32(graph, product1);
    c2 = xor(graph, shiftRight(graph, product0, 32), c3, k1);
    c3 = lower32(graph, product0);
    k0 = lower32(graph, graph.add('Add', [k0, weyl0]));
    k1 = lower32(graph, graph.add('Add', [k1, weyl1]));
  }
  const columns = [c0, c1, c2, c3].map((word) => graph.add('Unsqueeze', [word, graph.int64Vector([1])]));
  return graph.add('Reshape', [graph.add('Concat', columns, { axis: { int: 1 } }), graph.int64Vector([-1])]);
}

/** Of each two words the upper bits of the 53-bit integer of 27 bits of the first and 26 of the second. */
function joined(graph: OnnxGraph, words: string, width: number): string {
  const high = graph.add('Mul', [shiftRight(graph, everySecond(graph, words, 0), 5), wideScalar(graph, 2 ** 26)]);
  const low = shiftRight(graph, everySecond(graph, words, 1), 6);
  return shiftRight(graph, graph.add('Add', [high, low]), 53 - width);
}

function everySecond(graph: OnnxGraph, words: string, first: number): string {
  const bounds = [first, Number.MAX_SAFE_INTEGER, 0, 2].map((bound) => graph.int64Vector([bound]));
  return graph.add('Slice', [words, ...bounds]);
}

function xor(graph: OnnxGraph, a: string, b: string, c: string): string {
  return graph.add('BitwiseXor', [graph.add('BitwiseXor', [a, b]), c]);
}

function lower32(graph: OnnxGraph, x: string): string {
  return graph.add('BitwiseAnd', [x, wideScalar(graph, 0xffffffff)]);
}

function shiftRight(graph: OnnxGraph, x: string, count: number): string {
  return graph.add('BitShift', [x, wideScalar(graph, count)], { direction: { string: 'RIGHT' } });
}

function wideScalar(graph: OnnxGraph, value: number): string {
  return wide(graph, graph.scalar(value, 'int64'));
}

function wide(graph: OnnxGraph, x: string): string {
  return graph.add('Cast', [x], { to: { int: UINT64 } });
}
