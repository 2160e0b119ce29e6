/** Memory of WebAssembly. It is zeros, of which none takes room before it is written to; it never grows, so that its buffer stays. */
export interface LinearMemory {
  readonly buffer: ArrayBuffer;
}

/** A function of WebAssembly without a result. */
export type WebAssemblyFunction = (...values: number[]) => void;

/** A page of memory. */
export const PAGE_BYTES = 2 ** 16;

/** All that 32 bits can address. */
export const MOST_BYTES = 2 ** 32;

/** @throws RangeError where so much address space cannot be had */
export function reserveMemory(bytes: number): LinearMemory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  return new WebAssembly.Memory({ initial: pages, maximum: pages });
}

/** Whether this machine has what a module needs: of an old processor, V8 does not use the vectors. */
export function canRun(module: Uint8Array): boolean {
  return WebAssembly.validate(module);
}

/**
 * The exports of a module, by name, which work on `memory`.
 *
 * @param isCareful whether kernels take the longer way with denormals, which has the same bits
 * @throws CompileError for one that cannot run here
 */
export function functionsOf(
  module: Uint8Array,
  memory: LinearMemory,
  isCareful: boolean,
): ReadonlyMap<string, WebAssemblyFunction> {
  const careful = isCareful ? 1 : 0;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { env: { memory, careful } });
  return new Map(Object.entries(exports));
}

/** What is used of the interface. Node has it, but its types come with those of browsers. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => LinearMemory;
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: LinearMemory; readonly careful: number } },
  ) => { readonly exports: Readonly<Record<string, WebAssemblyFunction>> };
};
