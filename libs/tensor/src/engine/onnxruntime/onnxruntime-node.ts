import { createRequire } from 'node:module';

/** ONNX Runtime, loaded by the first who asks. As the package of CommonJS that it is: `import` reads it once more to find out what it exports, which takes as long. */
export function onnxruntimeNode(): typeof import('onnxruntime-node') {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is what its types are of
  return requirePackage('onnxruntime-node') as typeof import('onnxruntime-node');
}

const requirePackage = createRequire(import.meta.url);
