// `npm run setup:tensorflow [-- --wheel [VERSION]]`: installs TensorFlow.js' native engine into node_modules, where a machine can have
// it. It needs its install script (which downloads libtensorflow), so it is kept out of the lockfile: `npm ci` must work from the npm
// registry alone. With `--wheel` it is built against the library of a `tensorflow-cpu` wheel, and nothing but registries is asked.
import { existsSync } from 'node:fs';
import { checkNode, installDependencies, must, stop } from './setup.mjs';
import { buildFromWheel } from './tensorflow-from-wheel.mjs';

checkNode();
if (Number.parseInt(process.versions.node, 10) >= 23) {
  stop(
    `TensorFlow.js' native engine runs on Node 22 and older, and this is ${process.version}: run this again with one of them. ` +
      'Nothing else needs it: Longrun goes on with the onnxruntime engine, and the engine tfjs computes in JavaScript.',
  );
}
installDependencies();

const VERSION = '4.22.0';
const wheel = process.argv.indexOf('--wheel');
const gpu = wheel < 0 && process.platform === 'linux' && process.arch === 'x64' && existsSync('/dev/nvidiactl');
const name = gpu ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node';

console.log(`installing ${name}@${VERSION}${gpu ? ' (an NVIDIA GPU is here)' : ' (the CPU build)'}`);
const failure =
  `${name} could not be installed here (see above): it downloads libtensorflow from storage.googleapis.com and, on a GPU ` +
  'machine, needs CUDA 11.2 and cuDNN 8.1; set TFJS_NODE_CDN_STORAGE to a mirror and run this again, or add `-- --wheel` to build the ' +
  'CPU engine against a Python wheel. ' +
  'Nothing else needs it: Longrun goes on with the onnxruntime engine.';
const options = ['--no-save', '--no-package-lock', `--ignore-scripts=${wheel >= 0}`, '--foreground-scripts'];
must('npm', ['install', ...options, `${name}@${VERSION}`], failure);
if (wheel >= 0) buildFromWheel(process.argv[wheel + 1]);

const trial = `
  const tf = require('${name}');
  const [value] = tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync();
  if (value !== 11) throw new Error('1x2 · 2x1 gave ' + value + ' instead of 11');
  console.log('${name} works: TensorFlow ' + tf.backend().binding.TF_Version);
`;
must(process.execPath, ['-e', trial], failure);
