/** What a parameter or a local variable of a function holds. */
export type ValueType = 'i32' | 'f32' | 'v128';

/** A function. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  /** Numbered behind the parameters. */
  readonly locals: readonly ValueType[];
  /** Instructions, without the `end` of the function. */
  readonly body: readonly number[];
}

/**
 * A module in the binary format of WebAssembly: it imports `env.memory` and `env.careful`, a number that {@link INSTRUCTION.globalGet} 0 puts on the stack,
 * and exports `functions` by their names. They call one another by their positions.
 */
export function encodeModule(functions: readonly WasmFunction[]): Uint8Array {
  const types = functions.map(({ parameters, results }) => [
    FUNCTION_TYPE,
    ...vector(parameters.map(typeByte)),
    ...vector(results.map(typeByte)),
  ]);
  const bodies = functions.map(({ locals, body }) => {
    const declared = locals.map((type) => [...unsigned(1), ...typeByte(type)]);
    return sized(sequence(vector(declared), body, INSTRUCTION.end));
  });
  return new Uint8Array(
    sequence(
      MAGIC_AND_VERSION,
      section(SECTION.type, vector(types)),
      section(
        SECTION.import,
        vector([
          [...text('env'), ...text('memory'), MEMORY, NO_MAXIMUM, ...unsigned(0)],
          [...text('env'), ...text('careful'), GLOBAL, ...typeByte('i32'), UNCHANGING],
        ]),
      ),
      section(SECTION.function, vector(functions.map((_, index) => unsigned(index)))),
      section(
        SECTION.export,
        vector(functions.map(({ name }, index) => [...text(name), FUNCTION, ...unsigned(index)])),
      ),
      section(SECTION.code, vector(bodies)),
    ),
  );
}

/** Instructions one after the other. */
export function sequence(...parts: readonly (number | readonly number[])[]): number[] {
  // Most of compiling goes through here, where `flat` takes ten times as long.
  const whole: number[] = [];
  for (const part of parts) {
    if (typeof part === 'number') whole.push(part);
    else for (const byte of part) whole.push(byte);
  }
  return whole;
}

/** Puts a local variable, or a parameter, on the stack. */
export function get(local: number): number[] {
  return [INSTRUCTION.localGet, ...unsigned(local)];
}

/** Takes it from the stack. */
export function set(local: number): number[] {
  return [INSTRUCTION.localSet, ...unsigned(local)];
}

/** An unsigned integer, in LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

/** A signed integer of 32 bits, in LEB128. */
export function signed(value: number): number[] {
  const [low, rest] = [value & 0x7f, value >> 7];
  const isLast = (rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40);
  return isLast ? [low] : [low + 0x80, ...signed(rest)];
}

/** An instruction on vectors, of the number given. */
export function vectorInstruction(code: number): readonly number[] {
  return [0xfd, ...unsigned(code)];
}

/** Instructions of one byte. */
export const INSTRUCTION = {
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  branchIf: 0x0d,
  return: 0x0f,
  call: 0x10,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  i32Load: 0x28,
  i32Const: 0x41,
  f32Const: 0x43,
  i32EqualsZero: 0x45,
  i32LessUnsigned: 0x49,
  i32Add: 0x6a,
  i32And: 0x71,
  /** The type of a block that takes and leaves nothing. */
  emptyBlock: 0x40,
  /** The type of one that leaves an integer. */
  integerBlock: 0x7f,
  /** The type of one that leaves a vector. */
  vectorBlock: 0x7b,
} as const;

const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const FUNCTION_TYPE = 0x60;
const [FUNCTION, MEMORY, GLOBAL] = [0x00, 0x02, 0x03];
const [NO_MAXIMUM, UNCHANGING] = [0x00, 0x00];
const TYPE_BYTES: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, v128: 0x7b };

function typeByte(type: ValueType): number[] {
  return [TYPE_BYTES[type]];
}

function section(id: number, content: readonly number[]): number[] {
  return sequence(id, sized(content));
}

function vector(entries: readonly (readonly number[])[]): number[] {
  return sequence(unsigned(entries.length), ...entries);
}

function sized(content: readonly number[]): number[] {
  return sequence(unsigned(content.length), content);
}

function text(value: string): number[] {
  return sized([...Buffer.from(value)]);
}
