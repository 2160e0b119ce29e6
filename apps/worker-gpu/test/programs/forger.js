import { mkdirSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { MESSAGES_FD } from '@longrun/contracts';
import { z } from 'zod';

/** A program that speaks to the worker itself, as if it were the trainer. It trains nothing. */
export default {
  name: 'forger',
  description: '',
  params: z.unknown(),
  parseParams: (params) => params,
  async build({ params, extensions }) {
    const { folder } = extensions().find(({ name }) => name === 'HostCheckpoint');
    mkdirSync(folder, { recursive: true });
    const forgery = forgeries[params.kind];
    if (forgery === undefined) throw new Error(`There is no forgery ${params.kind}`);
    for (const message of forgery(params, folder)) writeSync(MESSAGES_FD, `${JSON.stringify(message)}\n`);
    process.exit(0);
  },
};

const forgeries = {
  /** Says that it ended for a reason of the worker's. */
  reason: ({ reason }) => [{ type: 'failed', reason, message: 'it was not me' }],
  /** Hands over a folder that is not its own. */
  folder: ({ victim }) => [
    started(),
    snapshot({ folder: victim, name: victim, files: [file('keep', 'it is', { path: join(victim, 'keep') })] }),
  ],
  /** The same, by a link in the place of its own folder. */
  folderLink: ({ victim }, snapshots) => {
    symlinkSync(victim, join(snapshots, 'step-7'));
    return [started(), snapshot({ files: [file('keep', 'it is')] })];
  },
  /** Hands over a file that it may not have. */
  fileLink: ({ victim }, snapshots) => {
    mkdirSync(join(snapshots, 'step-7'));
    symlinkSync(join(victim, 'keep'), join(snapshots, 'step-7', 'output.stolen'));
    return [started(), snapshot({ files: [file('output.stolen', 'it is')] })];
  },
  /** Says of a file what is not true. */
  size: (_, snapshots) => [started(), written(snapshots, 'parameters.safetensors', 'more than there is in it')],
  /** Has its snapshot read while it writes it: links, what is not there, and more than there is. */
  growing: ({ victim }, snapshots) => {
    mkdirSync(join(snapshots, '.step-7.partial'));
    symlinkSync(join(victim, 'keep'), join(snapshots, '.step-7.partial', 'link'));
    symlinkSync(victim, join(snapshots, 'folder'));
    const grown = (folder, name) => ({ type: 'snapshot_growing', folder, file: name, sizeBytes: 1e15 });
    return [
      started(),
      grown('.step-7.partial', 'link'),
      grown('folder', 'keep'),
      grown('nowhere', 'nothing'),
      grown('..', 'spec.json'),
      grown('../..', 'keep'),
      written(snapshots, 'state.json', 'state.json', true),
      { type: 'finished', step: 7, lastRow: {}, parametersFile: 'state.json' },
    ];
  },
  /** Says of a file without bytes that it has grown to terabytes, and hands over another. */
  hole: (_, snapshots) => {
    mkdirSync(join(snapshots, '.step-7.partial'));
    writeFileSync(join(snapshots, '.step-7.partial', 'hole'), '');
    truncateSync(join(snapshots, '.step-7.partial', 'hole'), 2 ** 43);
    return [
      started(),
      { type: 'snapshot_growing', folder: '.step-7.partial', file: 'hole', sizeBytes: 2 ** 43 },
      written(snapshots, 'state.json', 'state.json', true),
      { type: 'finished', step: 7, lastRow: {}, parametersFile: 'state.json' },
    ];
  },
  /** Hands over its final snapshot again and again. */
  finals: (_, snapshots) => [
    started(),
    ...Array.from({ length: 100 }, () => written(snapshots, 'state.json', 'state.json', true)),
    { type: 'finished', step: 7, lastRow: {}, parametersFile: 'state.json' },
  ],
  /** Says that a file has the parameters which is not there. */
  parameters: (_, snapshots) => [
    started(),
    written(snapshots, 'state.json', 'state.json', true),
    { type: 'finished', step: 7, lastRow: {}, parametersFile: 'parameters.safetensors' },
  ],
};

function started() {
  return { type: 'started', startStep: 0, engine: 'none', environment: {} };
}

function snapshot(facts) {
  return { type: 'snapshot', name: 'step-7', step: 7, environment: {}, final: false, ...facts };
}

function file(name, contents, more = {}) {
  return { name, sizeBytes: contents.length, ...more };
}

function written(snapshots, name, announced, final = false) {
  mkdirSync(join(snapshots, 'step-7'), { recursive: true });
  writeFileSync(join(snapshots, 'step-7', name), name);
  return snapshot({ files: [file(name, announced)], final });
}
