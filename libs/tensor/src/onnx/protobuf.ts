/** A message of ONNX: its fields by their names in onnx.proto. What repeats is a list. */
export interface Message {
  readonly [field: string]: FieldValue | readonly FieldValue[];
}

type FieldValue = number | string | Uint8Array | Message;

/** The bytes of a message of a type. @throws TypeError where a field is none of {@link MESSAGES}, or has a value of another kind */
export function encodeMessage(type: MessageType, message: Message): Uint8Array {
  const writer = new BackwardWriter();
  writer.message(type, message);
  return writer.written();
}

/** The number of a field in onnx.proto, and what it holds: an `int` is of 32 or 64 bits, or one of an enumeration. */
type Field = readonly [number: number, holds: 'bytes' | 'float' | 'int' | 'string' | MessageType];

export type MessageType =
  | 'AttributeProto'
  | 'Dimension'
  | 'GraphProto'
  | 'ModelProto'
  | 'NodeProto'
  | 'OperatorSetIdProto'
  | 'Tensor'
  | 'TensorProto'
  | 'TensorShapeProto'
  | 'TypeProto'
  | 'ValueInfoProto';

/** What is used of onnx.proto. */
export const MESSAGES: Readonly<Record<MessageType, Readonly<Record<string, Field>>>> = {
  ModelProto: {
    ir_version: [1, 'int'],
    producer_name: [2, 'string'],
    graph: [7, 'GraphProto'],
    opset_import: [8, 'OperatorSetIdProto'],
  },
  OperatorSetIdProto: { domain: [1, 'string'], version: [2, 'int'] },
  GraphProto: {
    node: [1, 'NodeProto'],
    name: [2, 'string'],
    initializer: [5, 'TensorProto'],
    input: [11, 'ValueInfoProto'],
    output: [12, 'ValueInfoProto'],
  },
  NodeProto: {
    input: [1, 'string'],
    output: [2, 'string'],
    name: [3, 'string'],
    op_type: [4, 'string'],
    attribute: [5, 'AttributeProto'],
  },
  AttributeProto: {
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'int'],
    s: [4, 'bytes'],
    t: [5, 'TensorProto'],
    g: [6, 'GraphProto'],
    floats: [7, 'float'],
    ints: [8, 'int'],
    strings: [9, 'bytes'],
    type: [20, 'int'],
  },
  TensorProto: { dims: [1, 'int'], data_type: [2, 'int'], name: [8, 'string'], raw_data: [9, 'bytes'] },
  ValueInfoProto: { name: [1, 'string'], type: [2, 'TypeProto'] },
  TypeProto: { tensor_type: [1, 'Tensor'] },
  Tensor: { elem_type: [1, 'int'], shape: [2, 'TensorShapeProto'] },
  TensorShapeProto: { dim: [1, 'Dimension'] },
  Dimension: { dim_value: [1, 'int'], dim_param: [2, 'string'] },
};

/** How the bytes of a field end: a varint does by itself, a float is of 4 bytes, all else says its length first. */
const [VARINT, LENGTH, FOUR_BYTES] = [0, 2, 5];

/** Writes from the last byte to the first, so that the length of a message is known where it is written. */
class BackwardWriter {
  #bytes = Buffer.allocUnsafe(2 ** 14);
  #start = this.#bytes.length;

  /** A copy of what was written. */
  written(): Uint8Array {
    return Uint8Array.from(this.#bytes.subarray(this.#start));
  }

  message(type: MessageType, message: Message): void {
    const fields = MESSAGES[type];
    const names = Object.keys(message);
    for (let at = names.length - 1; at >= 0; at -= 1) {
      const name = names[at] ?? '';
      const field = fields[name];
      if (field === undefined) throw new TypeError(`${type} of ONNX has no field ${name} here`);
      const value = message[name];
      if (value === undefined) continue;
      if (!isList(value)) {
        this.#field(type, name, field, value);
        continue;
      }
      for (const one of value.toReversed()) this.#field(type, name, field, one);
    }
  }

  #field(type: MessageType, name: string, [number, holds]: Field, value: FieldValue): void {
    if (typeof value === 'number') {
      if (holds === 'float') this.#float(value);
      else if (holds === 'int' && Number.isSafeInteger(value)) this.#varint(value);
      else throw refusal(type, name, holds, value);
      this.#varint(8 * number + (holds === 'float' ? FOUR_BYTES : VARINT));
      return;
    }
    const end = this.#bytes.length - this.#start;
    if (typeof value === 'string') {
      if (holds !== 'string') throw refusal(type, name, holds, value);
      const start = this.#before(Buffer.byteLength(value));
      this.#bytes.write(value, start);
    } else if (value instanceof Uint8Array) {
      if (holds !== 'bytes') throw refusal(type, name, holds, value);
      const start = this.#before(value.length);
      this.#bytes.set(value, start);
    } else {
      if (!isMessageType(holds)) throw refusal(type, name, holds, value);
      this.message(holds, value);
    }
    this.#varint(this.#bytes.length - this.#start - end);
    this.#varint(8 * number + LENGTH);
  }

  #float(value: number): void {
    const start = this.#before(4);
    this.#bytes.writeFloatLE(value, start);
  }

  /** Seven bits in a byte, the lowest first; of a negative integer those of its complement to 2 ** 64. */
  #varint(value: number): void {
    if (value >= 0 && value < 0x80) {
      const only = this.#before(1);
      this.#bytes[only] = value;
      return;
    }
    const bytes: number[] = [];
    if (value < 0) {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
      bytes.push(Number(rest));
    } else {
      let rest = value;
      for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
      bytes.push(rest);
    }
    const start = this.#before(bytes.length);
    this.#bytes.set(bytes, start);
  }

  /** Makes room before what is written, and returns where it starts. */
  #before(bytes: number): number {
    if (this.#start < bytes) {
      const written = this.#bytes.subarray(this.#start);
      const grown = Buffer.allocUnsafe(2 * (written.length + bytes));
      grown.set(written, grown.length - written.length);
      this.#start = grown.length - written.length;
      this.#bytes = grown;
    }
    this.#start -= bytes;
    return this.#start;
  }
}

function isList(value: FieldValue | readonly FieldValue[]): value is readonly FieldValue[] {
  return Array.isArray(value);
}

function isMessageType(holds: Field[1]): holds is MessageType {
  return Object.hasOwn(MESSAGES, holds);
}

function refusal(type: MessageType, name: string, holds: string, value: FieldValue): TypeError {
  const given = typeof value === 'object' ? 'an object' : `${typeof value} ${value}`;
  return new TypeError(`${type}.${name} of ONNX holds ${holds}, but was given ${given}`);
}
