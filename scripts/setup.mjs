// Brings a machine from a bare clone to a built workspace. Plain JavaScript without dependencies, because it runs
// before there are any. Every step looks first and does nothing when its work is already done.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingPrograms, S3_PACKAGES } from './s3-server.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Where the embedded default keeps its state, as a full path: LONGRUN_STATE as seen from the working directory, or
 * `.longrun/` of the checkout. As everywhere, a variable that holds only blanks counts as absent.
 */
export const stateFolder = resolve(process.env.LONGRUN_STATE?.trim() || join(root, '.longrun'));

const fashionMnistFiles = [
  'train-images-idx3-ubyte.gz',
  'train-labels-idx1-ubyte.gz',
  't10k-images-idx3-ubyte.gz',
  't10k-labels-idx1-ubyte.gz',
];

/** Ends the process with one sentence that says what is wrong and what to run. */
export function stop(sentence) {
  console.error(`\n${sentence}`);
  process.exit(1);
}

/** Runs a command in the checkout, showing its output; stops with `failure` when it fails. */
export function must(command, args, failure, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error !== undefined || status !== 0) stop(failure ?? `'${command} ${args.join(' ')}' failed (see above).`);
}

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const supported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24;
  if (!supported) {
    stop(
      `Longrun needs Node 20.19+, 22.12+ or 24+, but this is ${process.version}: install one from https://nodejs.org.`,
    );
  }
}

/** `npm ci` when node_modules is missing or belongs to another lockfile. */
export function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.longrun-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  say('installing dependencies from the lockfile');
  must('npm', ['ci'], 'npm ci failed (see above). It needs the npm registry and about 500 MB of disk.');
  writeFileSync(stamp, lock);
}

/** Builds what changed; Nx replays the rest from its cache. */
export function build() {
  say('building');
  const result = spawnSync(process.execPath, [nx, 'run-many', '-t', 'build', '--output-style=static'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (result.status !== 0) stop(`${result.stdout}${result.stderr}\nThe build failed (see above).`);
}

/** The path of Nx's own entry file, so that no shell or .bin link is needed. */
export const nx = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');

export function ensureRedis() {
  if (onPath('redis-server')) return;
  if (!canApt()) {
    const command = process.platform === 'darwin' ? 'brew install redis' : 'sudo apt-get install -y redis-server';
    stop(`Longrun needs redis-server on PATH and cannot install it here by itself: run '${command}'.`);
  }
  say('installing redis-server');
  aptInstall('redis-server');
  if (!onPath('redis-server')) stop("apt-get could not install redis-server: run 'apt-get install redis-server'.");
}

/** What the tests want besides: without it those of PostgreSQL are skipped, and say so. */
export function ensurePostgres() {
  if (existsSync('/usr/lib/postgresql') || !canApt()) return;
  say('installing postgresql');
  aptInstall('postgresql');
}

/** Likewise a real S3, without which those of S3 are skipped, and say so. */
export function ensureS3() {
  if (process.env.S3_ENDPOINT !== undefined || missingPrograms().length === 0 || !canApt()) return;
  say(`installing ${S3_PACKAGES.join(', ')}`);
  aptInstall(...S3_PACKAGES);
}

/**
 * Puts the four Fashion-MNIST files into `<state>/raw/fashion-mnist`: from the Debian package where there is one.
 * Where there is none, the folder stays empty and the dataset job downloads the published files by itself.
 */
export function ensureFashionMnist(state = stateFolder) {
  const target = join(state, 'raw', 'fashion-mnist');
  if (fashionMnistFiles.every((name) => existsSync(join(target, name)))) return;
  const packaged = '/usr/share/datasets/fashion-mnist';
  if (!existsSync(packaged) && canApt()) {
    say('installing dataset-fashion-mnist');
    aptInstall('dataset-fashion-mnist');
  }
  if (!fashionMnistFiles.every((name) => existsSync(join(packaged, name)))) {
    say('no dataset-fashion-mnist package here: the dataset job will download the published files');
    return;
  }
  mkdirSync(target, { recursive: true });
  for (const name of fashionMnistFiles) {
    copyFileSync(join(packaged, name), join(target, `${name}.part`));
    renameSync(join(target, `${name}.part`), join(target, name));
  }
}

/** Everything that the demo and the tests need before they can start. */
export function setUp() {
  checkNode();
  installDependencies();
  ensureRedis();
  build();
}

function say(sentence) {
  console.log(`setup: ${sentence}`);
}

function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

function canApt() {
  return process.platform === 'linux' && process.getuid?.() === 0 && onPath('apt-get');
}

function aptInstall(...names) {
  const options = { cwd: root, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, encoding: 'utf8' };
  const install = () => spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...names], options);
  let result = install();
  if (result.status !== 0) {
    spawnSync('apt-get', ['update'], options);
    result = install();
  }
  if (result.status !== 0) console.error(`${result.stdout ?? ''}${result.stderr ?? ''}`);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  setUp();
  ensureFashionMnist();
  say('done');
}
