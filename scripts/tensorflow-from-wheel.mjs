// Builds `@tensorflow/tfjs-node` against the library inside the `tensorflow-cpu` wheel, for machines that reach a Python package index
// but not Google's storage. Wants python3 with pip, a C++ compiler, make and Node's headers (which node-gyp fetches where it must).
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must, root, stop } from './setup.mjs';

/** The wheel that tfjs-node 4.22 was tried with. */
export const WHEEL_VERSION = '2.21.0';

/** By Node's name of the architecture. */
const PLATFORMS = { x64: 'manylinux_2_27_x86_64', arm64: 'manylinux_2_27_aarch64' };

/** What the binding is compiled against and what it loads; the rest of the wheel is Python. */
const UNPACK = `
import sys, zipfile
wanted = ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2', 'tensorflow/include/tensorflow/c/',
          'tensorflow/include/tensorflow/core/', 'tensorflow/include/tsl/', 'tensorflow/include/xla/tsl/')
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(wanted)])
`;

/** Compiles the binding of the tfjs-node that lies in node_modules, its install script not having run. */
export function buildFromWheel(version = WHEEL_VERSION) {
  const platform = process.platform === 'linux' ? PLATFORMS[process.arch] : undefined;
  if (platform === undefined) stop(`There is no tensorflow-cpu wheel for ${process.platform}-${process.arch}.`);
  const tfjsNode = join(root, 'node_modules', '@tensorflow', 'tfjs-node');
  const dependencies = join(tfjsNode, 'deps');
  const unpacked = join(dependencies, 'wheel');
  rmSync(dependencies, { recursive: true, force: true });
  mkdirSync(join(dependencies, 'lib'), { recursive: true });

  console.log(`fetching the wheel of tensorflow-cpu ${version}`);
  const target = ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311', '--platform', platform];
  const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', ...target];
  must('python3', [...download, '--dest', unpacked, `tensorflow-cpu==${version}`], FAILURE);
  const [wheel] = readdirSync(unpacked);
  must('python3', ['-c', UNPACK, join(unpacked, wheel), unpacked], FAILURE);
  renameSync(join(unpacked, 'tensorflow', 'include'), join(dependencies, 'include'));
  // The binding asks the linker for names without a version.
  for (const [file, name] of [
    ['libtensorflow_cc.so.2', 'libtensorflow.so'],
    ['libtensorflow_framework.so.2', 'libtensorflow_framework.so'],
  ]) {
    renameSync(join(unpacked, 'tensorflow', file), join(dependencies, 'lib', file));
    symlinkSync(file, join(dependencies, 'lib', name));
  }
  rmSync(unpacked, { recursive: true });
  // The engine says it as part of its version.
  writeFileSync(join(dependencies, 'tensorflow-version'), version);

  const nodePreGyp = join(root, 'node_modules', '@mapbox', 'node-pre-gyp', 'bin', 'node-pre-gyp');
  must(process.execPath, [nodePreGyp, 'install', '--build-from-source'], FAILURE, { cwd: tfjsNode });
}

const FAILURE =
  'TensorFlow.js could not be built against the tensorflow-cpu wheel (see above): it needs python3 with pip, a Python package index, ' +
  "a C++ compiler, make and Node's headers. Nothing else needs it: Longrun goes on with the onnxruntime engine.";
