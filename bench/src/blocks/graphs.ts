import {
  applicationOf,
  ComputationGraph,
  Linear,
  MLP,
  OUTPUT,
  select,
  Tanh,
  VariableFilter,
  WEIGHT,
} from '@longrun/blocks';
import { matrix, mul, type Variable } from '@longrun/tensor';
import { elapsedMs } from '../elapsed.js';
import { boundRow, type Row } from '../report.js';

const MEASUREMENTS = 15;
const BOUND_MS = 50;
/** Layers of the graphs that are looked through, and of the one in which variables are replaced. */
const [LAYERS, DEEPER] = [84, 100];
const REPLACED = 80;

/** How long graphs of so many variables take to be taken in, asked and changed. */
export async function graphRows(): Promise<Row[]> {
  const output = outputOf(LAYERS);
  const graph = new ComputationGraph(output);
  const deeper = new ComputationGraph(outputOf(DEEPER));
  const replacements = new Map([...select(deeper).role(OUTPUT)].slice(0, REPLACED).map((one) => [one, mul(one, 2)]));
  const variables = `${graph.variables.length} variables`;
  const filter = new VariableFilter({ roles: [WEIGHT], bricks: [Linear] });
  const tasks: readonly (readonly [string, () => unknown])[] = [
    [`ComputationGraph of ${variables}`, () => new ComputationGraph(output)],
    [`filter by role and brick, ${variables}`, () => filter.select(graph.variables)],
    [`selection by path, ${variables}`, () => select(graph).path('/mlp/linear_?.W').count],
    [`selection by application, ${variables}`, () => select(graph).application(applicationOf(Linear, 'apply')).count],
    [
      `selection by what is computed from another, ${variables}`,
      () => select(graph).role(OUTPUT).downstreamOf(select(graph).path('/mlp/linear_40.W')).count,
    ],
    [`replace of ${replacements.size} of ${deeper.variables.length} variables`, () => deeper.replace(replacements)],
  ];
  const rows: Row[] = [];
  for (const [what, task] of tasks) rows.push(boundRow(what, 'ms', await measured(task), null, BOUND_MS));
  return rows;
}

function outputOf(layers: number): Variable {
  const tanhs = Array.from({ length: layers }, (_, layer) => new Tanh({ name: `tanh_${layer}` }));
  return new MLP(tanhs, { dims: Array.from({ length: layers + 1 }, () => 2) }).apply(matrix('features'));
}

async function measured(task: () => unknown): Promise<number[]> {
  const took: number[] = [];
  for (let round = 0; round < MEASUREMENTS; round += 1) took.push(await elapsedMs(async () => void task()));
  return took;
}
