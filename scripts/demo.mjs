// `npm run demo`: sets the machine up, then hands over to `longrun demo`. With `--s3` and no URL it starts an S3 server for it, whose
// objects are gone at its end.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { environmentFor, startS3Server, storeUrl } from './s3-server.mjs';
import { ensureFashionMnist, ensureS3, root, setUp, stateFolder, stop } from './setup.mjs';

setUp();
ensureFashionMnist();
const args = process.argv.slice(2);
const engine = optionOf('--engine');
if (engine !== undefined) {
  // The demo asks less of one that computes in JavaScript, and only the engines know which this machine has.
  const { computeTarget, describeTarget } = await import(pathToFileURL(join(root, 'libs/tensor/dist/index.js')).href);
  const provider = optionOf('--provider');
  try {
    const target = computeTarget({ engine, provider });
    if (provider === undefined) args.push('--provider', target.provider);
    console.log(`demo: trains on ${describeTarget(target)}`);
  } catch (error) {
    stop(`demo: ${error.message}`);
  }
}
const s3 = args.indexOf('--s3');
if (s3 >= 0 && !(args[s3 + 1] ?? '').startsWith('s3:')) {
  ensureS3();
  console.log('demo: starting an S3 server');
  const server = await startS3Server().catch((error) => stop(`demo: ${error.message}`));
  args.splice(s3 + 1, 0, storeUrl(server.access, 'demo'));
  process.exitCode = await runDemo(args, environmentFor(server.access));
  await server.stop();
} else {
  process.exitCode = await runDemo(args, process.env);
}

function optionOf(name) {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}

/** Ctrl+C reaches the whole process group; this one waits so that the demo can stop its stack cleanly. Its exit code. */
async function runDemo(options, env) {
  const demo = spawn(
    process.execPath,
    [join(root, 'apps/cli/bin/longrun.js'), 'demo', '--state', stateFolder, ...options],
    {
      cwd: root,
      env,
      stdio: 'inherit',
    },
  );
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && demo.kill(signal));
  return await new Promise((resolve) => demo.on('exit', (code, signal) => resolve(signal === null ? code : 1)));
}
