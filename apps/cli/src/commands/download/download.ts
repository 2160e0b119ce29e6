import { isTerminalDataset } from '@longrun/contracts';

import { size } from '../../output/amounts.js';
import type { Terminal } from '../../output/terminal.js';
import type { Client } from '../../client.js';
import { CheckpointFailed } from '../checkpoint/checkpoint-errors.js';
import { resolveReference } from '../reference.js';
import { DownloadFailed, downloadFile, type WantedFile } from './download-file.js';

/** What `longrun download` takes. */
export interface DownloadOptions {
  readonly json: boolean;
  /** Of an experiment: `latest`, a step or a name. Default: `latest`. */
  readonly checkpoint?: string | undefined;
  /** Where to. Default: a name of its own in the current folder. */
  readonly output?: string | undefined;
}

/**
 * Fetches the parameters of an experiment, or the file of a dataset, compared with the SHA-256 under which it was put there. Broken off, it goes on
 * where it was when it is run again.
 */
export async function download(
  client: Client,
  terminal: Terminal,
  reference: string,
  { json, checkpoint, output }: DownloadOptions,
): Promise<void> {
  const { kind, id } = await resolveReference(client, reference);
  if (kind === 'dataset' && checkpoint !== undefined) {
    throw new CheckpointFailed(`\`${reference}\` is a dataset, which has no checkpoints; leave out --checkpoint`);
  }
  const { what, wanted, name } =
    kind === 'dataset' ? await datasetFile(client, id) : await parametersOf(client, id, checkpoint);
  const file = output ?? name;
  const { fetchedBytes } = await downloadFile(client, wanted, file);
  const { sha256, sizeBytes } = wanted;
  if (json) return terminal.printJson({ id, file, sha256, sizeBytes, fetchedBytes }, 2);
  const came = fetchedBytes === sizeBytes ? '' : `, ${size(fetchedBytes)} of it now`;
  terminal.print(`${what}: ${file} (${size(sizeBytes)}${came}, verified, sha256 ${sha256})`);
}

interface Found {
  /** For people. */
  readonly what: string;
  readonly wanted: WantedFile;
  /** To call it by. */
  readonly name: string;
}

/** By the name of a checkpoint, under which the bytes are always the same ones. */
async function parametersOf(client: Client, id: string, which = 'latest'): Promise<Found> {
  const { name, step, files } = await client.checkpoint(id, which);
  const file = files.find((each) => each.name === PARAMETERS);
  if (file === undefined) {
    const known = files.map((each) => each.name).join(', ') || 'no files';
    throw new CheckpointFailed(`the checkpoint ${name} of ${id} has no ${PARAMETERS}: it has ${known}`);
  }
  const { sha256, sizeBytes } = file;
  return {
    what: `parameters of ${id} at step ${step}`,
    wanted: { path: `/v1/experiments/${id}/parameters?checkpoint=${name}`, sha256, sizeBytes },
    name: `${id}-${name}.safetensors`,
  };
}

async function datasetFile(client: Client, id: string): Promise<Found> {
  const { name, status, result } = await client.dataset(id);
  if (result === null) {
    const remedy = isTerminalDataset(status)
      ? `see why: longrun show ${name}`
      : `wait until it is ready: longrun logs -f ${name}`;
    throw new DownloadFailed(`the dataset ${name} has no file: it is ${status}; ${remedy}`);
  }
  const { sha256, sizeBytes } = result;
  return {
    what: `dataset ${name}`,
    wanted: { path: `/v1/datasets/${id}/file`, sha256, sizeBytes },
    name: `${name}.hdf5`,
  };
}

/** As `libs/blocks` calls it in every snapshot. */
const PARAMETERS = 'parameters.safetensors';
