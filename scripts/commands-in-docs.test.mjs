// What the pages for people tell them to run is there: scripts, projects, commands of `longrun` with their options, and files.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((page) => page !== 'CHANGELOG.md');

const projects = ['apps', 'libs', '.']
  .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(parent, name)))
  .filter((folder) => existsSync(join(root, folder, 'package.json')))
  .map((folder) => ({ folder, ...JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) }));
const scripts = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts);
const cli = join(root, 'apps/cli/src');
const source = readdirSync(cli, { recursive: true })
  .filter((file) => /^(program|arguments|.*-(commands|filters))\.ts$/.test(file))
  .map((file) => readFileSync(join(cli, file), 'utf8'))
  .join('\n');

test('there are pages with commands', () => {
  expect(pages).toContain('README.md');
  expect(pages.flatMap(commandsOf).length).toBeGreaterThan(40);
});

test.each(pages)('what %s tells to run is there', (page) => {
  const missing = commandsOf(page).flatMap((command) => faultsOf(command, dirname(page)));
  expect(missing).toEqual([]);
});

test.each([
  ['npm run nothing', 'there is no script nothing'],
  ['npm run openapi -w @longrun/cli', 'there is no script openapi in @longrun/cli'],
  ['npx nx build nobody', 'there is no project nobody'],
  ['longrun fetch', 'longrun has no command fetch'],
  ['longrun ls --everything', 'longrun has no option --everything'],
  ['node examples/dist/run-remote.js mlp', 'there is no examples/dist/run-remote.js'],
  ['npm run longrun -- submit examples/fashion.yaml', 'there is no examples/fashion.yaml'],
  ['npx vitest run --config ../../vitest.config.ts --root . src/nothing.test.ts', 'there is no src/nothing.test.ts'],
])('`%s` would be found', (command, fault) => {
  expect(faultsOf(command, 'apps/cli')).toEqual([`${command}: ${fault}`]);
});

/** The commands of a page: in its blocks of shell and between backticks, each without a comment and what goes before it. */
function commandsOf(page) {
  const text = readFileSync(join(root, page), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([^]*?)^```/gm), ...text.matchAll(/^( {4}(?:npx|npm|node|longrun) .*)$/gm)];
  const spans = text.replaceAll(/^```[^]*?^```/gm, '').matchAll(/`([^`\n]+)`/g);
  return [...blocks, ...spans]
    .flatMap(([, code]) => code.split(/\n|&&| \| /))
    .map((line) =>
      line
        .replace(/(^|\s)#.*/, '')
        .replace(/^\s*(?:\w+=\S+ )*/, '')
        .trim(),
    )
    .filter((line) => /^(?:npm|npx|node|longrun) /.test(line));
}

function faultsOf(command, folder) {
  const words = command.replaceAll('`', '').split(/\s+/);
  return [
    ...faultsOfScript(words),
    ...faultsOfProject(words),
    ...faultsOfLongrun(words),
    ...faultsOfFiles(words, folder),
  ].map((fault) => `${command}: ${fault}`);
}

function faultsOfScript([program, run, script, dash, workspace]) {
  if (program !== 'npm' || run !== 'run') return [];
  if (dash !== '-w') return scripts.includes(script) ? [] : [`there is no script ${script}`];
  const own = projects.find(({ name }) => name === workspace)?.scripts ?? {};
  return script in own ? [] : [`there is no script ${script} in ${workspace}`];
}

function faultsOfProject([program, nx, _target, project]) {
  if (program !== 'npx' || nx !== 'nx' || project === undefined) return [];
  return projects.some(({ folder, name }) => name === `@longrun/${project}` || folder === project)
    ? []
    : [`there is no project ${project}`];
}

function faultsOfLongrun(words) {
  const at = words[0] === 'longrun' ? 1 : words.slice(0, 4).join(' ') === 'npm run longrun --' ? 4 : undefined;
  if (at === undefined) return [];
  const [command = '', ...rest] = words.slice(at);
  const isThere = command.startsWith('-') || new RegExp(`\\bcommand\\(\\s*'${command}'`).test(source);
  const options = [command, ...rest].filter((word) => /^--?[a-z]/.test(word));
  const unknown = options.filter(
    (word) => !['--help', '--json'].includes(word) && !new RegExp(`'(?:-\\w, )?${word}\\b`).test(source),
  );
  const short = (word) => /^-\w$/.test(word) && source.includes(`'${word}, `);
  return [
    ...(isThere ? [] : [`longrun has no command ${command}`]),
    ...unknown.filter((word) => !short(word)).map((word) => `longrun has no option ${word}`),
  ];
}

/** Files of the checkout, from the root or the folder of the page; what is built stands for its source. */
function faultsOfFiles(words, folder) {
  const isOurs = /^(?:\.\.\/|apps\/|bench\/|bin\/|dist\/|examples\/|libs\/|scripts\/|src\/|test\/)[\w./-]+\.\w+$/;
  return words
    .filter((word) => isOurs.test(word))
    .filter(
      (word) => ![join(root, folder), root, join(root, 'libs/tensor')].some((from) => existsHere(join(from, word))),
    )
    .map((word) => `there is no ${word}`);
}

function existsHere(path) {
  const ofSource = path.replace('/dist/bundle/', '/src/').replace('/dist/', '/src/').replace(/\.js$/, '.ts');
  return existsSync(path) || existsSync(ofSource);
}
