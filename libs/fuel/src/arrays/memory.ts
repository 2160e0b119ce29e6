import type { DType, NdArray } from '@longrun/serialization';

/**
 * Where an array of this dtype and shape lies: elements of any value, all of which are to be written before anybody looks. `uninitialized` gives
 * memory of its own; a {@link BufferRing} memory that was used before.
 */
export type Memory = <D extends DType>(dtype: D, shape: readonly number[]) => NdArray<D>;
