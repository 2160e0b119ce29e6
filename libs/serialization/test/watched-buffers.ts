/**
 * Watches from now on what makes a buffer, in this process: answers the list to which the size of each is added, in bytes. To be called
 * before anything is loaded that keeps what makes them.
 */
export function watchBuffers(): number[] {
  const sizes: number[] = [];
  const alloc = Buffer.alloc.bind(Buffer);
  Buffer.alloc = (size: number, ...rest: []): Buffer<ArrayBuffer> => {
    sizes.push(size);
    return alloc(size, ...rest);
  };
  const arrays = {
    Float32Array,
    Float64Array,
    Int8Array,
    Int16Array,
    Int32Array,
    BigInt64Array,
    Uint8Array,
    Uint16Array,
    Uint32Array,
  };
  for (const [name, constructor] of Object.entries(arrays)) {
    const watched: object = new Proxy(constructor, {
      construct(target, given: unknown[], newTarget) {
        const [size] = given;
        if (typeof size === 'number') sizes.push(size * target.BYTES_PER_ELEMENT);
        return Reflect.construct(target, given, newTarget === watched ? target : newTarget) as object;
      },
    });
    Reflect.set(globalThis, name, watched);
  }
  return sizes;
}
