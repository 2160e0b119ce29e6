import type { Client } from '@longrun/client';
import { CHECKPOINT_FILES, isTerminalDataset } from '@longrun/contracts';

import { size } from '../../output/amounts.js';
import type { Terminal } from '../../output/terminal.js';
import { resolveReference } from '../reference.js';
import { DownloadFailed, downloadFile, type WantedFile } from './download-file.js';

/** What `longrun download` takes. */
export interface DownloadOptions {
  readonly json: boolean;
  /** Of an experiment: `latest`, a step or a name. Default: `latest`. */
  readonly checkpoint?: string | undefined;
  /** Of an experiment: a file that its program has written. Default: its parameters. */
  readonly output?: string | undefined;
  /** Where to. Default: a name of its own in the current folder. */
  readonly to?: string | undefined;
}

/**
 * Fetches the parameters or an output of an experiment, or the file of a dataset, compared with the SHA-256 under which it was put there. Broken off, it goes on
 * where it was when it is run again.
 */
export async function download(
  client: Client,
  terminal: Terminal,
  reference: string,
  { json, checkpoint, output, to }: DownloadOptions,
): Promise<void> {
  const { kind, id } = await resolveReference(client, reference);
  if (kind === 'dataset' && (checkpoint ?? output) !== undefined) {
    const option = checkpoint === undefined ? '--output' : '--checkpoint';
    throw new DownloadFailed(`\`${reference}\` is a dataset, which has one file; leave out ${option}`);
  }
  const { what, wanted, name } =
    kind === 'dataset' ? await datasetFile(client, id) : await fileOf(client, id, { checkpoint, output });
  const file = to ?? name;
  const { fetchedBytes } = await downloadFile(client, wanted, file);
  const { sha256, sizeBytes } = wanted;
  if (json) return terminal.printJson({ id, file, sha256, sizeBytes, fetchedBytes }, 2);
  const came =
    fetchedBytes === sizeBytes ? '' : fetchedBytes === 0 ? ', it was there' : `, ${size(fetchedBytes)} of it now`;
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
async function fileOf(
  client: Client,
  id: string,
  { checkpoint = 'latest', output }: Pick<DownloadOptions, 'checkpoint' | 'output'>,
): Promise<Found> {
  const { name, step, files } = await client.checkpoints.get(id, checkpoint);
  const { parameters, outputPrefix } = CHECKPOINT_FILES;
  const wanted = output === undefined ? parameters : `${outputPrefix}${output}`;
  const file = files.find((each) => each.name === wanted);
  if (file === undefined) {
    const outputs = files.filter((each) => each.name.startsWith(outputPrefix));
    const known = outputs.map((each) => each.name.slice(outputPrefix.length)).join(', ') || 'none';
    const what = output === undefined ? parameters : `output ${JSON.stringify(output)}`;
    throw new DownloadFailed(`the checkpoint ${name} of ${id} has no ${what}; its outputs: ${known}`);
  }
  const { sha256, sizeBytes } = file;
  const place = output === undefined ? 'parameters' : `outputs/${encodeURIComponent(output)}`;
  return {
    what: `${output ?? 'parameters'} of ${id} at step ${step}`,
    wanted: { path: `/v1/experiments/${id}/${place}?checkpoint=${name}`, sha256, sizeBytes },
    name: output ?? `${id}-${name}.safetensors`,
  };
}

async function datasetFile(client: Client, id: string): Promise<Found> {
  const { name, status, result } = await client.datasets.get(id);
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
