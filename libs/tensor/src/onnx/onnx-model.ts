import { ndarray, type DType, type NdArray } from '@longrun/serialization';
import protobuf from 'protobufjs/light.js';

import { typedArray } from '../arrays/typed-array.js';
import type { TensorType } from '../graph/tensor-type.js';
import { onnxDataType } from './data-type.js';
import type { OnnxAttribute, OnnxGraph } from './onnx-graph.js';
import { onnxSchema } from './schema.js';

/** Opset 21 with IR 10 (ONNX 1.16, March 2024): old enough for every engine at hand, new enough for all ops used here. */
const OPSET = 21;
const IR_VERSION = 10;
/** Initializers up to this size are compared with those before, so that a constant used often is stored once. */
const SHARED_INITIALIZER_BYTES = 256;

/** An ONNX model being written: inputs, nodes and initializers in, bytes out. */
export class OnnxModel implements OnnxGraph {
  readonly #name: string;
  readonly #inputs: object[] = [];
  readonly #outputs: object[] = [];
  readonly #nodes: object[] = [];
  readonly #initializers: object[] = [];
  readonly #shared = new Map<string, string>();
  readonly #borrowed = new Set<string>();
  #values = 0;
  #scope = '';

  constructor(name: string) {
    this.#name = name;
  }

  /** Declares a graph input; null sizes may differ from run to run. */
  input(name: string, type: TensorType): string {
    this.#inputs.push(valueInfo(name, type));
    this.#borrowed.add(name);
    return name;
  }

  /** Declares `value` a graph output and returns its name. An input, an initializer or an output twice gets an Identity. */
  output(value: string, type: TensorType): string {
    const name = this.#borrowed.has(value) ? this.add('Identity', [value]) : value;
    this.#borrowed.add(name);
    this.#outputs.push(valueInfo(name, type));
    return name;
  }

  /** Names the nodes added from here on, so that errors of the engine say which op they come from. */
  scope(label: string): void {
    this.#scope = label;
  }

  add(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>> = {}): string {
    const output = this.#fresh();
    this.#nodes.push({
      op_type: opType,
      name: `${this.#scope}/${opType}_${output}`,
      input: inputs,
      output: [output],
      attribute: Object.entries(attributes).map(([name, value]) => attributeProto(name, value)),
    });
    return output;
  }

  initializer(value: NdArray): string {
    const bytes = new Uint8Array(value.data.buffer, value.data.byteOffset, value.data.byteLength);
    const key =
      bytes.length <= SHARED_INITIALIZER_BYTES ? `${value.dtype}|${String(value.shape)}|${String(bytes)}` : undefined;
    const known = key === undefined ? undefined : this.#shared.get(key);
    if (known !== undefined) return known;
    const name = this.#fresh();
    this.#initializers.push({ name, dims: value.shape, data_type: onnxDataType[value.dtype], raw_data: bytes });
    this.#borrowed.add(name);
    if (key !== undefined) this.#shared.set(key, name);
    return name;
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

  /** The model as ONNX protobuf bytes. */
  encode(): Uint8Array {
    const type = protobuf.Root.fromJSON(onnxSchema).lookupType('onnx.ModelProto');
    const model = {
      ir_version: IR_VERSION,
      producer_name: 'longrun',
      opset_import: [{ domain: '', version: OPSET }],
      graph: {
        name: this.#name,
        input: this.#inputs,
        output: this.#outputs,
        node: this.#nodes,
        initializer: this.#initializers,
      },
    };
    const problem = type.verify(model);
    if (problem !== null) throw new Error(`The ONNX model of ${this.#name} does not follow the schema: ${problem}`);
    return type.encode(model).finish();
  }

  #fresh(): string {
    this.#values += 1;
    return `v${this.#values}`;
  }
}

function valueInfo(name: string, type: TensorType): object {
  const dims = type.shape.map((dim, axis) => (dim === null ? { dim_param: `${name}_${axis}` } : { dim_value: dim }));
  return { name, type: { tensor_type: { elem_type: onnxDataType[type.dtype], shape: { dim: dims } } } };
}

/** `type` numbers are those of `AttributeProto.AttributeType`. */
function attributeProto(name: string, value: OnnxAttribute): object {
  return 'int' in value ? { name, type: 2, i: value.int } : { name, type: 7, ints: value.ints };
}
