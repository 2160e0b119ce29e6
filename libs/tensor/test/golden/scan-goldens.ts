import { readFileSync } from 'node:fs';

import { decodeSafetensors, type NdArray } from '@longrun/serialization';

import type { Dim } from '../../src/index.js';
import { present } from '../op-laws.js';
import type { GraphNode } from './random-graphs.js';

/** A graph around scans, as make_scan_goldens.py draws it. */
export interface ScanGraph {
  readonly seed: number;
  /** Of the inputs; null for sizes that are not told. */
  readonly shapes: readonly (readonly Dim[])[];
  /** The first of them is a scan of inputs. */
  readonly nodes: readonly GraphNode[];
  /** Positions of the outputs, and of those whose squares are the cost. */
  readonly outputs: readonly number[];
  readonly costs: readonly number[];
}

const { tensors, metadata } = decodeSafetensors(readFileSync(new URL('scans.safetensors', import.meta.url)));

/** All that there are. */
export const SCAN_GRAPHS: readonly ScanGraph[] = JSON.parse(present(metadata['graphs']));

/** What the graph at a position is fed. */
export function inputsOf(graph: number): readonly NdArray[] {
  return present(SCAN_GRAPHS[graph]).shapes.map((_, k) => stored(graph, 'input', k));
}

/** A result of the graph at a position: its cost, its outputs, its gradients and its second derivatives come in this order. */
export function resultOf(graph: number, k: number): NdArray {
  return stored(graph, 'result', k);
}

function stored(graph: number, kind: string, k: number): NdArray {
  return present(tensors.get(`${graph}.${kind}.${k}`));
}
