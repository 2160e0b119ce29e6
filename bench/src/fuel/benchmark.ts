import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pythonPeer } from '../python-peer.js';
import { boundRow, machine, ratioRow, type Report, type Row, stateFolder, versionOf } from '../report.js';
import { withScratchFolder } from '../scratch-folder.js';
import { converting } from './converting.js';
import { decoding } from './images.js';
import { LAYOUTS, loading, random, sequential } from './reading.js';
import type { Amounts, Sides } from './sides.js';
import { takingFromThread } from './threads.js';

const ROWS = 50_000;
/** Bytes that are written for each row. */
const WRITTEN_OF_ROW = 200_000;

/**
 * Rows of bytes read in order and at random, from files and from memory, images decoded, and a large file written; in turn with h5py, torchdata and PIL.
 *
 * @param rows of 3,072 bytes: fewer for a look, with fewer images and bytes to be written too, which meets or misses no goal
 */
export async function fuel(rows = ROWS): Promise<Report> {
  const amounts: Amounts = {
    rows,
    width: 3_072,
    batchSize: 128,
    images: Math.max(256, Math.round(rows / 50)),
    side: 256,
    window: 224,
  };
  const table: Row[] = [];
  const samples: Record<string, unknown> = {};
  const missing: string[] = [];
  const { rows: count, batchSize } = amounts;
  const args = Object.entries(amounts).flatMap(([name, value]) => [
    `--${name === 'batchSize' ? 'batch-size' : name}`,
    String(value),
  ]);
  const peer = await pythonPeer('h5py', ['h5py', 'numpy', 'torch', 'torchdata'], 'fuel_data.py', args);
  const { contestant } = peer;
  if (peer.missing !== undefined) missing.push(peer.missing);
  await withScratchFolder(async (folder) => {
    const add = (what: string, name: string, sides: Sides, bound: number): void => {
      samples[`${what}, ms a batch`] = sides;
      table.push(ratioRow(`${what}; ${name}`, 'ms', sides.ours, sides.peer, bound));
    };
    // Before anything large is written, for which the disk would still be busy.
    const source = process.env['FUEL_SOURCE'];
    const original =
      source === undefined ? undefined : await pythonPeer('fuel', ['h5py', 'numpy'], 'fuel_convert.py', []);
    if (source === undefined) missing.push('the conversion by the original Fuel: name a folder with it in FUEL_SOURCE');
    const converted = await converting(join(stateFolder, 'raw', 'fashion-mnist'), folder, original?.contestant);
    original?.contestant?.stop();
    const convertedWhat = 'Fashion-MNIST converted';
    samples[`${convertedWhat}, ms`] = converted;
    table.push(
      ratioRow(
        `${convertedWhat}; ${source === undefined ? 'no peer: the original Fuel is missing' : 'peer: convert_mnist of the original Fuel'}`,
        'ms',
        converted.ours,
        converted.peer,
        1,
      ),
    );
    if (contestant !== undefined) {
      const { images = 0 } = await contestant.ask({ do: 'make', folder });
      const size = `${count} x ${amounts.width} uint8`;
      add(
        `${size} in batches of ${batchSize}, contiguous`,
        peer.named('slices'),
        await sequential(folder, amounts, contestant),
        1,
      );
      for (const layout of LAYOUTS)
        add(
          `${batchSize} random rows, ${layout}${layout === 'contiguous' ? '' : ', seen before'}`,
          peer.named('fancy indexing'),
          await random(folder, layout, amounts, contestant),
          layout === 'contiguous' ? 0.25 : 0.05,
        );
      add(
        `${batchSize} shuffled rows in memory, with the state after them`,
        'peer: StatefulDataLoader in process, a batch at a time',
        await loading(amounts, contestant),
        0.33,
      );
      if (images > 0)
        add(
          `${batchSize} JPEG of ${amounts.side} x ${amounts.side} decoded and cropped`,
          'peer: DataLoader of PyTorch with PIL, 2 processes',
          await decoding(folder, amounts, contestant),
          1,
        );
      else missing.push('JPEG decoded and cropped, as the Python of the peer has no PIL; install pillow there');
    }
    const taken = await takingFromThread({ rows: Math.min(count, 20_000), width: amounts.width, batchSize });
    samples['taken from a thread, ms'] = taken;
    const us = taken.map((ms) => 1_000 * ms);
    table.push(
      boundRow(
        `${Math.round((batchSize * amounts.width) / 1e3)} KB taken from a stream that a thread reads`,
        'us',
        us,
        null,
        100,
      ),
    );
    const bytes = rows * WRITTEN_OF_ROW;
    const peak = await peakOfWriting(folder, bytes);
    table.push({
      what: `most memory of a process that writes ${Math.round(bytes / 1e9)} GB`,
      value: peak,
      unit: 'MB',
      peer: null,
      ratio: null,
      goal: '<= 300 MB',
      met: peak <= 300,
    });
  });
  contestant?.stop();
  return {
    machine: machine(),
    load: loadavg().map((load) => Math.round(load * 10) / 10),
    versions: {
      ...peer.versions,
      h5wasm: versionOf('h5wasm'),
      sharp: versionOf('sharp'),
      'codec-libjpeg-turbo-8bit': versionOf('@cornerstonejs/codec-libjpeg-turbo-8bit'),
    },
    rows: table,
    missing,
    samples,
  };
}

async function peakOfWriting(parent: string, bytes: number): Promise<number> {
  const folder = join(parent, 'written');
  await mkdir(folder);
  const script = fileURLToPath(new URL('writing-process.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, folder, String(bytes)]);
  return Number(stdout);
}
