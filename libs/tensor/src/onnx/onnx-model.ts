import { ndarray, type DType, type NdArray } from '@longrun/serialization';

import { typedArray } from '../arrays/typed-array.js';
import { isKnown, type TensorType } from '../graph/tensor-type.js';
import { onnxDataType } from './data-type.js';
import type { OnnxAttribute, OnnxAttributes, OnnxGraph, OnnxSubgraph, OnnxValue } from './onnx-graph.js';
import { encodeMessage, type Message } from './protobuf.js';

/** Opset 21 with IR 10 (ONNX 1.16, March 2024): old enough for every engine at hand, new enough for all ops used here. */
const OPSET = 21;
const IR_VERSION = 10;
/** Initializers up to this size are compared with those before, so that a constant used often is stored once. */
const SHARED_INITIALIZER_BYTES = 256;

/** An ONNX graph being written: the whole model's, or one within a node. */
class OnnxBody implements OnnxGraph {
  readonly inputs: OnnxValue[] = [];
  readonly outputs: OnnxValue[] = [];
  readonly #names: ValueNames;
  readonly #nodes: Message[] = [];
  /** Inputs, outputs and what other graphs own: none of them can be named as an output. */
  readonly #own = new Set<string>();
  #scope: string;
  #isForProcessor: boolean;

  constructor(names: ValueNames, scope: string, isForProcessor = false) {
    this.#names = names;
    this.#scope = scope;
    this.#isForProcessor = isForProcessor;
  }

  /** Declares an input; sizes that the type does not know may differ from run to run. */
  input(name: string, type: TensorType): string {
    this.inputs.push({ name, type });
    return name;
  }

  /** Declares `value` an output and returns its name. What no node of this graph makes, or an output twice, gets an Identity. */
  output(value: string, type: TensorType): string {
    const name = this.#own.has(value) ? value : this.add('Identity', [value]);
    this.#own.delete(name);
    this.outputs.push({ name, type });
    return name;
  }

  scope(label: string): void {
    this.#scope = label;
    this.#isForProcessor = false;
  }

  leaveToProcessor(): void {
    this.#isForProcessor = true;
  }

  add(opType: string, inputs: readonly string[], attributes: OnnxAttributes = {}): string {
    const [output] = this.addMany(opType, inputs, 1, attributes);
    if (output === undefined) throw new Error(`${opType}: the node got no output`);
    return output;
  }

  addMany(
    opType: string,
    inputs: readonly string[],
    count: number,
    attributes: OnnxAttributes = {},
  ): readonly string[] {
    const outputs = Array.from({ length: count }, () => this.#names.fresh());
    for (const output of outputs) this.#own.add(output);
    const name = `${this.#scope}/${opType}_${outputs.join('_')}`;
    this.#names.nodeCount += 1;
    if (this.#isForProcessor) this.#names.forProcessor.push(name);
    this.#nodes.push({
      op_type: opType,
      name,
      input: inputs,
      output: outputs,
      attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
    });
    return outputs;
  }

  subgraph(
    inputs: readonly TensorType[],
    build: (graph: OnnxGraph, inputs: readonly string[]) => readonly OnnxValue[],
  ): OnnxSubgraph {
    const body = new OnnxBody(this.#names, this.#scope, this.#isForProcessor);
    const names = inputs.map((type) => body.input(this.#names.fresh(), type));
    for (const { name, type } of build(body, names)) body.output(name, type);
    return { inputs: body.inputs, outputs: body.outputs, message: body.message(`${this.#scope}/${names.join('_')}`) };
  }

  initializer(value: NdArray): string {
    return this.#names.initializer(value);
  }

  int64Vector(values: readonly number[]): string {
    return this.initializer(ndarray('int64', [values.length], typedArray('int64', values)));
  }

  scalar(value: number, dtype: DType): string {
    return this.initializer(ndarray(dtype, [], typedArray(dtype, [value])));
  }

  cast(input: string, dtype: DType): string {
    return this.add('Cast', [input], { to: { int: onnxDataType[dtype] } });
  }

  /** The graph as a message of type GraphProto. */
  message(name: string): Message {
    return {
      name,
      input: this.inputs.map(valueInfo),
      output: this.outputs.map(valueInfo),
      node: this.#nodes,
    };
  }
}

/** An ONNX model being written: inputs, nodes and initializers in, bytes out. */
export class OnnxModel extends OnnxBody {
  readonly #name: string;
  readonly #values: ValueNames;

  constructor(name: string) {
    const values = new ValueNames();
    super(values, '');
    this.#name = name;
    this.#values = values;
  }

  /** Names of the nodes that are for the processor, whatever else the model runs on. */
  get forProcessor(): readonly string[] {
    return this.#values.forProcessor;
  }

  /** How many nodes there are, in all of its graphs. */
  get nodeCount(): number {
    return this.#values.nodeCount;
  }

  /** The model as ONNX protobuf bytes. */
  encode(): Uint8Array {
    return encodeMessage('ModelProto', {
      ir_version: IR_VERSION,
      producer_name: 'longrun',
      opset_import: [{ domain: '', version: OPSET }],
      graph: { ...this.message(this.#name), initializer: this.#values.initializers },
    });
  }
}

/** The names of a model's values, no two alike in all of its graphs, and its initializers, which all of them may use. */
class ValueNames {
  readonly initializers: Message[] = [];
  /** Names of nodes. */
  readonly forProcessor: string[] = [];
  /** In all of its graphs. */
  nodeCount = 0;
  readonly #shared = new Map<string, string>();
  #count = 0;

  fresh(): string {
    this.#count += 1;
    return `v${this.#count}`;
  }

  initializer(value: NdArray): string {
    const tensor = tensorProto(value);
    const key =
      tensor.raw_data.length <= SHARED_INITIALIZER_BYTES
        ? `${value.dtype}|${String(value.shape)}|${String(tensor.raw_data)}`
        : undefined;
    const known = key === undefined ? undefined : this.#shared.get(key);
    if (known !== undefined) return known;
    const name = this.fresh();
    this.initializers.push({ name, ...tensor });
    if (key !== undefined) this.#shared.set(key, name);
    return name;
  }
}

function tensorProto(value: NdArray): Message & { readonly raw_data: Uint8Array } {
  const bytes = new Uint8Array(value.data.buffer, value.data.byteOffset, value.data.byteLength);
  return { dims: value.shape, data_type: onnxDataType[value.dtype], raw_data: bytes };
}

/** Each size that is not known has a word of its own, whatever its name: ONNX takes those of one word for equal, and checks none of them. */
function valueInfo({ name, type }: OnnxValue): Message {
  const dims = type.shape.map((dim, axis) => (isKnown(dim) ? { dim_value: dim } : { dim_param: `${name}_${axis}` }));
  return { name, type: { tensor_type: { elem_type: onnxDataType[type.dtype], shape: { dim: dims } } } };
}

/** `type` numbers are those of `AttributeProto.AttributeType`. */
function attributeProto(name: string, value: OnnxAttribute): Message {
  if ('float' in value) return { name, type: 1, f: value.float };
  if ('int' in value) return { name, type: 2, i: value.int };
  if ('string' in value) return { name, type: 3, s: utf8(value.string) };
  if ('tensor' in value) return { name, type: 4, t: tensorProto(value.tensor) };
  if ('graph' in value) return { name, type: 5, g: value.graph.message };
  if ('floats' in value) return { name, type: 6, floats: value.floats };
  if ('ints' in value) return { name, type: 7, ints: value.ints };
  return { name, type: 8, strings: value.strings.map(utf8) };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
