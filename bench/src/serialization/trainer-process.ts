import { safetensorsChunks, writeWhole } from '@longrun/serialization';
import { type Order, randomTensors, type Report } from './big-snapshots.js';
import { tellingGrowth } from './growth.js';

/** A process that writes snapshots on request, as a trainer does, and says how far it is. */
const [, , path = '', bytes = ''] = process.argv;
const tensors = randomTensors(Number(bytes));

function say(report: Report): void {
  process.send?.(report);
}

process.on('message', ({ step }: Order) => {
  const onWritten = tellingGrowth(say);
  writeWhole(path, safetensorsChunks(tensors, { step: String(step) }), { onWritten, areLasting: true }).then(
    () => say({ written: step }),
    (error: unknown) => say({ failed: String(error) }),
  );
});
say({ written: 0 });
