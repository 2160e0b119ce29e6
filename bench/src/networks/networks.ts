import { embedding } from './embedding.js';
import { gru } from './gru.js';
import { lenet } from './lenet.js';
import { lstm, projectedLstm } from './lstm.js';
import type { Network } from './network.js';
import { transformer } from './transformer.js';

export const NETWORKS: readonly Network[] = [lenet, lstm, projectedLstm, gru, transformer, embedding];

/** @throws Error naming those that there are */
export function networkNamed(name: string): Network {
  const network = NETWORKS.find((one) => one.name === name);
  if (network === undefined) {
    throw new Error(`there is no network ${name}, only ${NETWORKS.map((one) => one.name).join(', ')}`);
  }
  return network;
}
