import { spawnSync } from 'node:child_process';

import { z } from 'zod';

/** A Python that imports safetensors and NumPy: LONGRUN_PYTHON, or python3; undefined where there is none. For tests alone. */
export const PYTHON = [process.env['LONGRUN_PYTHON'] ?? 'python3'].find(
  (python) => spawnSync(python, ['-c', 'import numpy, safetensors.numpy']).status === 0,
);

const READ = `
import hashlib, json, sys
from safetensors.numpy import load_file
print(json.dumps({
    name: {"dtype": array.dtype.name, "shape": list(array.shape), "sha256": hashlib.sha256(array.tobytes()).hexdigest()}
    for name, array in load_file(sys.argv[1]).items()
}))
`;

const Tensors = z.record(z.string(), z.object({ dtype: z.string(), shape: z.array(z.number()), sha256: z.string() }));

/** The tensors of a safetensors file as Python has them, by name, each with the SHA-256 of its bytes in C order. */
export function pythonTensors(file: string): z.infer<typeof Tensors> {
  const { status, stdout, stderr } = spawnSync(PYTHON ?? 'python3', ['-c', READ, file], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Python cannot read ${file}: ${stderr}`);
  return Tensors.parse(JSON.parse(stdout));
}
