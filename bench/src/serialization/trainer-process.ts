import { safetensorsChunks, writeWhole } from '@longrun/serialization';
import { type Order, randomTensors, type Report } from './big-snapshots.js';

/** A process that writes snapshots on request, as a trainer does, and says how far it is. */
const [, , path = '', bytes = ''] = process.argv;
const tensors = randomTensors(Number(bytes));
/** After as much more its worker is told how far it is written. */
const TOLD_BYTES = 16 << 20;

function say(report: Report): void {
  process.send?.(report);
}

process.on('message', ({ step }: Order) => {
  let toldBytes = 0;
  const onWritten = (file: string, sizeBytes: number): void => {
    if (sizeBytes - toldBytes < TOLD_BYTES) return;
    toldBytes = sizeBytes;
    say({ growing: file, sizeBytes });
  };
  writeWhole(path, safetensorsChunks(tensors, { step: String(step) }), { onWritten, areLasting: true }).then(
    () => say({ written: step }),
    (error: unknown) => say({ failed: String(error) }),
  );
});
say({ written: 0 });
