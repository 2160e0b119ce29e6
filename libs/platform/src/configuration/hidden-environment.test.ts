import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { environmentWithoutSecrets } from './hidden-environment.js';

const run = promisify(execFile);
const library = fileURLToPath(new URL('../../dist/configuration/index.js', import.meta.url));

/** A process with secrets, and what a child of the same user reads of its environment. */
const SERVICE = `
  const { execFileSync } = await import('node:child_process');
  const { hideEnvironment } = await import(process.argv[1]);
  const look = () => execFileSync('cat', ['/proc/' + process.pid + '/environ'], { encoding: 'latin1' });
  const before = look();
  const hidden = hideEnvironment();
  console.log(JSON.stringify({ before, hidden, after: look(), url: process.env.REDIS_URL, empty: process.env.EMPTY }));
`;

const environment = {
  REDIS_URL: 'redis://:hunter2@127.0.0.1',
  AWS_SECRET_ACCESS_KEY: 'hunter2 ü',
  LONGRUN_TOKEN: 'hunter2=hunter2',
  EMPTY: '',
  PATH: process.env['PATH'],
};

const users: readonly (readonly [string, readonly string[]])[] = [
  ['the same user', []],
  // As root, an ordinary user is tried too.
  ...(process.geteuid?.() === 0
    ? [['an ordinary user', ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs']] as const]
    : []),
];

test.runIf(existsSync('/proc/self/environ')).each(users)(
  'what a service was told is not to be read in its process, and it knows it still (%s)',
  async (_who, as) => {
    const [command, ...words] = [...as, process.execPath, '--input-type=module', '-e', SERVICE, library];
    const { stdout } = await run(command, words, { env: environment });
    const { before, hidden, after, url, empty }: Record<string, unknown> = JSON.parse(stdout);
    expect(before).toContain('hunter2');
    expect(hidden).toBe(true);
    expect(after).not.toContain('hunter2');
    expect(after).toContain(`PATH=${process.env['PATH']}`);
    expect({ url, empty }).toEqual({ url: environment.REDIS_URL, empty: '' });
  },
);

test('children are told where libraries and the drivers of graphics cards lie, and nothing that could be a credential', () => {
  const told = {
    PATH: '/usr/bin',
    LD_LIBRARY_PATH: '/usr/local/nvidia/lib64',
    CUDA_VISIBLE_DEVICES: '0',
    VK_DRIVER_FILES: '/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json',
    VK_ICD_FILENAMES: '/etc/vulkan/icd.d/lvp_icd.json',
    OMP_NUM_THREADS: '2',
  };
  const others = { AWS_SECRET_ACCESS_KEY: 'x', LONGRUN_TOKEN: 'x', DATABASE_URL: 'x', MY_VK_DRIVER: 'x', PATHS: 'x' };
  expect(environmentWithoutSecrets({ ...told, ...others })).toEqual(told);
});
