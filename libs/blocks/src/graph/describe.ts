import { sizeOf, type NdArray } from '@longrun/serialization';
import { formatArray, formatNumber, formatShape, type SharedVariable } from '@longrun/tensor';

import type { Brick } from '../bricks/brick.js';
import { Model } from './model.js';

/**
 * A model for people: its bricks as they are nested, with the dtype, shape, number and values of each parameter and state, then what belongs to no brick, and
 * how many parameters there are. Bricks that are not allocated yet have none. (Keras: `summary`.)
 *
 * @param described a model, or the root of a tree of bricks
 */
export async function describe(described: Model | Brick): Promise<string> {
  const rows: Row[] = [];
  const seen = new Set<Brick | SharedVariable>();
  const counts = { elements: 0, bytes: 0 };
  const add = async (variable: SharedVariable, name: string, isParameter: boolean): Promise<void> => {
    seen.add(variable);
    const value = await variable.getValue();
    const { dtype, shape, data } = value;
    if (isParameter) counts.elements += data.length;
    if (isParameter) counts.bytes += data.byteLength;
    const type = `${dtype} ${formatShape(shape)}`;
    rows.push([name, type, data.length.toLocaleString('en'), isParameter ? '' : 'state', valuesOf(value)]);
  };
  const addBrick = async (brick: Brick, depth: number): Promise<void> => {
    const indent = '  '.repeat(depth);
    rows.push([`${indent}${brick.name}`, brick.constructor.name, '', seen.has(brick) ? 'as above' : '', '']);
    if (seen.has(brick)) return;
    seen.add(brick);
    for (const parameter of brick.parameters) await add(parameter, `${indent}  .${String(parameter.name)}`, true);
    for (const state of brick.states) await add(state, `${indent}  .${String(state.name)}`, false);
    for (const child of brick.children) await addBrick(child, depth + 1);
  };
  const isModel = described instanceof Model;
  for (const brick of isModel ? described.topBricks : [described]) await addBrick(brick, 0);
  if (isModel) {
    const parameters = new Set(described.getParameterDict().values());
    for (const [name, variable] of described.getPersistentDict())
      if (!seen.has(variable)) await add(variable, name, parameters.has(variable));
  }
  const total = `${counts.elements.toLocaleString('en')} parameters, ${counts.bytes.toLocaleString('en')} bytes`;
  return [...tableOf(rows), total].join('\n');
}

/** Name, class or type, number of elements, what is to be known, values. */
type Row = readonly [string, string, string, string, string];

/** Few values as they are, many by their mean, standard deviation and ends. */
function valuesOf(value: NdArray): string {
  const values = Array.from(value.data, Number);
  if (sizeOf(value.shape) <= FEW) return formatArray(value, { digits: DIGITS });
  const notFinite = values.filter((one) => !Number.isFinite(one)).length;
  if (notFinite > 0) return `${notFinite.toLocaleString('en')} of them NaN or infinite`;
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const variance = values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / values.length;
  let [least, greatest] = [Infinity, -Infinity];
  for (const one of values) {
    least = Math.min(least, one);
    greatest = Math.max(greatest, one);
  }
  const [m, s, a, b] = [mean, Math.sqrt(variance), least, greatest].map((one) => formatNumber(one, DIGITS));
  return `mean ${m}, std ${s}, from ${a} to ${b}`;
}

function tableOf(rows: readonly Row[]): string[] {
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .filter((_, column) => (widths[column] ?? 0) > 0)
      .join('  ')
      .trimEnd(),
  );
}

const FEW = 6;
const DIGITS = 4;
