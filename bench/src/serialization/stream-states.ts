import {
  Batching,
  Cast,
  ConstantScheme,
  type DataStream,
  FilterSources,
  Flatten,
  Mapping,
  Rename,
  ScaleAndShift,
  Unpack,
} from '@longrun/fuel';
import type { Contestant } from '../contestant.js';
import { BATCH_SIZE, datasetOf, keyedScheme, streamAt } from './examples.js';

const BLOCKS = 11;
const BATCHES_OF_BLOCK = 200;

/** Of each block of batches: bytes of the last state, and what all of them took in per cent of the batches. */
export interface StreamStates {
  readonly bytes: number[];
  readonly percent: number[];
  /** Of a StatefulDataLoader; null without the peer. */
  readonly peerBytes: number[] | null;
  readonly peerPercent: number[] | null;
}

/** The state of a stream with ten transformers, as JSON, after each batch in the middle of an epoch. */
export async function streamStates(examples: number, loader: Contestant | undefined): Promise<StreamStates> {
  const dataset = datasetOf(examples);
  const scheme = keyedScheme(examples);
  const batches = BLOCKS * BATCHES_OF_BLOCK;
  const stream = tenDeep(streamAt(dataset, scheme, Math.max(0, (scheme.requestsPerEpoch - batches) >> 1)));
  const hasPeer = loader !== undefined;
  const states: StreamStates = {
    bytes: [],
    percent: [],
    peerBytes: hasPeer ? [] : null,
    peerPercent: hasPeer ? [] : null,
  };
  for (let block = 0; block <= BLOCKS; block += 1) {
    const ours = await statesOf(stream);
    const peer = await loader?.ask({ do: 'state', batches: BATCHES_OF_BLOCK });
    // The first one runs code that is not warm.
    if (block === 0) continue;
    states.bytes.push(ours.bytes);
    states.percent.push(ours.percent);
    if (peer === undefined) continue;
    const { bytes = Number.NaN, seconds = Number.NaN, rest = Number.NaN } = peer;
    states.peerBytes?.push(bytes);
    states.peerPercent?.push((100 * seconds) / rest);
  }
  return states;
}

async function statesOf(stream: DataStream): Promise<{ readonly bytes: number; readonly percent: number }> {
  let bytes = 0;
  let inStates = 0;
  let inBatches = 0;
  for (let taken = 0; taken < BATCHES_OF_BLOCK; taken += 1) {
    const startedAt = performance.now();
    let batch = await stream.next();
    // A look with few examples comes to the end of its epoch.
    if (batch === undefined) {
      await stream.nextEpoch();
      batch = await stream.next();
    }
    const deliveredAt = performance.now();
    if (batch === undefined) throw new Error('an epoch has no batch: give more bytes');
    bytes = Buffer.byteLength(JSON.stringify(stream.state()));
    inStates += performance.now() - deliveredAt;
    inBatches += deliveredAt - startedAt;
  }
  return { bytes, percent: (100 * inStates) / inBatches };
}

/** Ten transformers, some of which keep a state of their own. */
function tenDeep(stream: DataStream): DataStream {
  const cast = new Cast(stream, { dtype: 'float32', whichSources: ['features'] });
  const scaled = new ScaleAndShift(cast, { scale: 1 / 255, shift: 0, whichSources: ['features'] });
  const mapped = new Mapping(scaled, (arrays) => arrays);
  const unpacked = new Unpack(mapped);
  const flat = new Flatten(unpacked, ['features']);
  const renamed = new Rename(flat, { features: 'x', targets: 'y' });
  const batched = new Batching(renamed, new ConstantScheme(BATCH_SIZE));
  const kept = new FilterSources(batched, ['x', 'y']);
  const whole = new Cast(kept, { dtype: 'int32', whichSources: ['y'] });
  return new Mapping(whole, (arrays) => arrays);
}
