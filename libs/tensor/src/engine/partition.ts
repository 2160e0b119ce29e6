import { sizeOf, type DType } from '@longrun/serialization';

import type { Apply } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import { formatOp } from '../graph/op.js';
import { isAllKnown } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { toposort } from '../graph/walk.js';
import type { EngineDefinition, FunctionGraph } from './engine.js';

/** A part of a graph that runs in one place, after the parts before it. */
export interface Stage {
  readonly on: 'host' | 'engine';
  /** Each after those it depends on. */
  readonly nodes: readonly Apply[];
  /** What it needs from the graph's inputs and from stages before it. Constants it has itself. */
  readonly inputs: readonly Variable[];
  /** What stages after it need, or the graph has for outputs. */
  readonly outputs: readonly Variable[];
}

/** One op that the host runs in place of the engine. */
export interface HostOp {
  /** As it prints, with its parameters. */
  readonly op: string;
  /** What it computes, with its type. */
  readonly output: string;
  /** Why the engine does not: a sentence without its full stop. */
  readonly reason: string;
}

/** A graph in parts, by where they run. */
export interface Partition {
  /** In the order in which they run, the host's and the engine's in turn. */
  readonly stages: readonly Stage[];
  readonly hostOps: readonly HostOp[];
}

/** The graph has an op that the engine cannot run, and the host should not. */
export class OpUnsupported extends Error {
  override readonly name = 'OpUnsupported';
}

/**
 * Divides a graph between an engine and the host. The host gets what the engine does not support, where that has few elements, is
 * about shapes alone, or is an op that the engine leaves to it; in as few stages as that can be done in.
 *
 * @throws OpUnsupported naming op, dtypes and engine for anything else that the engine does not support
 */
export function partition(graph: FunctionGraph, engine: EngineDefinition): Partition {
  const given = new Set(graph.inputs);
  const levels = new Map<Variable, number>();
  const nodesOf = new Map<number, Apply[]>();
  const hostOps: HostOp[] = [];
  for (const node of toposort(graph.outputs, { blockers: graph.inputs })) {
    const reason = reasonForHost(graph.name, node, engine);
    if (reason !== undefined) {
      hostOps.push({ op: formatOp(node.op), output: node.outputs.map(describe).join(', '), reason });
    }
    const level = levelOf(node, reason === undefined ? 'engine' : 'host', levels);
    const nodes = nodesOf.get(level) ?? [];
    nodes.push(node);
    nodesOf.set(level, nodes);
    for (const output of node.outputs) if (!given.has(output)) levels.set(output, level);
  }
  return { stages: stagesOf(graph, nodesOf, levels), hostOps };
}

/** Whether an op needs only the shapes of its inputs: their elements need not be fetched from a device. */
export function readsShapesOnly(node: Apply): boolean {
  return SHAPE_OPS.has(node.op.name);
}

/** Why the host runs this application; undefined where the engine does. */
function reasonForHost(name: string, node: Apply, engine: EngineDefinition): string | undefined {
  const inexact = new Set(dtypesOf(node).filter((dtype) => engine.narrowed?.has(dtype) === true));
  if (inexact.size > 0 && isSmall(node)) return `${engine.name} narrows ${[...inexact].join(', ')}`;
  const refusal = refusalOf(node, engine);
  if (refusal === undefined) return undefined;
  if (refusal.isLeft || isSmall(node)) return refusal.reason;
  throw new OpUnsupported(
    `${name}: the engine ${engine.name} cannot run ${formatOp(node.op)} of ${node.inputs.map(describe).join(', ')}: ${refusal.reason}; ` +
      "use another engine ('reference' runs everything), or cast to a dtype that it has",
  );
}

/** That an engine does not run an application. */
interface Refusal {
  readonly reason: string;
  /** Whether it leaves it to the host however many elements there are. */
  readonly isLeft: boolean;
}

/** An op with an inner graph is refused, and left to the host, as anything inside of it is. */
function refusalOf(node: Apply, engine: EngineDefinition): Refusal | undefined {
  const { op } = node;
  const dtypes = dtypesOf(node);
  const reason = engine.supports(op, dtypes);
  const isLeft = engine.hostOps?.has(op.name) === true || dtypes.some((dtype) => engine.hostDtypes?.has(dtype));
  if (reason !== undefined || op.inner === undefined) return reason === undefined ? undefined : { reason, isLeft };
  for (const inside of toposort(op.inner.outputs, { blockers: op.inner.inputs })) {
    const refusal = refusalOf(inside, engine);
    if (refusal === undefined) continue;
    return { reason: `of ${inside.op.name} inside it, ${refusal.reason}`, isLeft: isLeft || refusal.isLeft };
  }
  return undefined;
}

function dtypesOf({ inputs, outputs }: Apply): DType[] {
  return [...inputs, ...outputs].map(({ dtype }) => dtype);
}

/** Whether moving it between engine and host costs next to nothing, as of numbers and shapes. */
function isSmall(node: Apply): boolean {
  const read = readsShapesOnly(node) ? [] : node.inputs;
  return [...read, ...node.outputs].every(({ shape }) => isAllKnown(shape) && sizeOf(shape) <= SMALL_ELEMENTS);
}

/** The host has even levels, the engine odd ones, and a level runs after all below it. */
function levelOf(node: Apply, on: Stage['on'], levels: ReadonlyMap<Variable, number>): number {
  const parity = on === 'host' ? 0 : 1;
  const lowest = Math.max(parity, ...node.inputs.map((input) => levels.get(input) ?? 0));
  return lowest % 2 === parity ? lowest : lowest + 1;
}

function stagesOf(
  graph: FunctionGraph,
  nodesOf: ReadonlyMap<number, readonly Apply[]>,
  levels: ReadonlyMap<Variable, number>,
): Stage[] {
  const needed = new Set<Variable>(graph.outputs);
  // From the last one back: what a stage needs, those before it have to give.
  const descending = [...nodesOf].toSorted(([a], [b]) => b - a);
  const stages = descending.map(([level, nodes]): Stage => {
    const inputs = new Set<Variable>();
    for (const input of nodes.flatMap((node) => node.inputs)) {
      if (!(input instanceof Constant) && levels.get(input) !== level) inputs.add(input);
    }
    const outputs = nodes
      .flatMap((node) => node.outputs)
      .filter((output) => needed.has(output) && levels.get(output) === level);
    for (const input of inputs) needed.add(input);
    return { on: level % 2 === 0 ? 'host' : 'engine', nodes, inputs: [...inputs], outputs };
  });
  return stages.toReversed();
}

/** Numbers, and shapes of the highest rank. */
const SMALL_ELEMENTS = 8;

const SHAPE_OPS: ReadonlySet<string> = new Set(['dimension']);
