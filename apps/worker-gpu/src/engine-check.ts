import { runCheck } from '@longrun/platform/child';
import { ndarray } from '@longrun/serialization';
import { compile, dot, tensor } from '@longrun/tensor';

/** Loads the engine that experiments have by default, and has it multiply. */
await runCheck(async () => {
  try {
    const [a, b] = [tensor('a', 'float32', [2, 2]), tensor('b', 'float32', [2, 2])];
    const multiply = await compile({ inputs: [a, b], outputs: [dot(a, b)], threads: 1, name: 'check' });
    const values = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ].map((numbers) => ndarray('float32', [2, 2], new Float32Array(numbers)));
    const [product] = await multiply.run(values);
    const numbers = [...(product?.data ?? [])].join(' ');
    if (numbers !== '19 22 43 50') throw new Error(`it computes ${numbers} instead of 19 22 43 50`);
  } catch (error) {
    throw new Error(`The engine does not serve: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
});
