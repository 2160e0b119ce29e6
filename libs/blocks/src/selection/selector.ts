import type { SharedVariable } from '@longrun/tensor';

import type { Brick } from '../bricks/brick.js';

/** A path as text: `/mlp/linear_0` for a brick, `/mlp/linear_0.W` for a parameter or a state. */
export class Path {
  readonly bricks: readonly string[];
  /** The name of a parameter or a state of the last brick. */
  readonly parameter: string | undefined;

  constructor(bricks: readonly string[], parameter?: string) {
    this.bricks = bricks;
    this.parameter = parameter;
  }

  /** @throws Error for text that is no path */
  static parse(text: string): Path {
    const match = /^((?:\/[^/.]+)*)(?:\.([^/.]+))?$/.exec(text);
    const bricks = match?.[1];
    if (bricks === undefined || text === '') {
      throw new Error(`"${text}" is not a path; write /mlp/linear_0 for a brick or /mlp/linear_0.W for a parameter`);
    }
    return new Path(bricks.split('/').slice(1), match?.[2]);
  }

  /** This path, and `other` below it. */
  concat(other: Path): Path {
    if (this.parameter !== undefined) throw new Error(`${this.toString()} is a parameter, there is nothing below it`);
    return new Path([...this.bricks, ...other.bricks], other.parameter);
  }

  equals(other: Path): boolean {
    return this.toString() === other.toString();
  }

  toString(): string {
    const bricks = this.bricks.map((name) => `/${name}`).join('');
    return this.parameter === undefined ? bricks : `${bricks}.${this.parameter}`;
  }
}

/** Bricks, and a way to find those below them by path (Blocks: `Selector`). */
export class Selector {
  readonly bricks: readonly Brick[];

  constructor(bricks: readonly Brick[]) {
    this.bricks = bricks;
  }

  /** The bricks at a path, which starts with the name of one of these bricks. */
  select(path: string | Path): Selector {
    const { bricks: names, parameter } = typeof path === 'string' ? Path.parse(path) : path;
    if (parameter !== undefined) {
      throw new Error(
        `Selector: ${String(path)} is the path of a parameter or a state; use selectParameters or selectStates`,
      );
    }
    const found = names.reduce<readonly Brick[]>(
      (bricks, name, depth) =>
        unique(depth === 0 ? bricks : bricks.flatMap((brick) => brick.children)).filter((brick) => brick.name === name),
      this.bricks,
    );
    return new Selector(found);
  }

  /** The parameters at a path such as `/mlp/linear_0.W`. */
  selectParameters(path: string | Path): SharedVariable[] {
    return this.#selectVariables(path, (brick) => brick.parameters);
  }

  /** The states at a path such as `/mlp/norm.mean`. */
  selectStates(path: string | Path): SharedVariable[] {
    return this.#selectVariables(path, (brick) => brick.states);
  }

  /**
   * The parameters of these bricks and all below, by path, depth first.
   *
   * @param parameterName only those of this name
   * @throws Error when two different parameters have the same path
   */
  getParameters(parameterName?: string): Map<string, SharedVariable> {
    return this.#variablesByPath((brick) => brick.parameters, parameterName);
  }

  /**
   * The states of these bricks and all below, by path, depth first.
   *
   * @param stateName only those of this name
   * @throws Error when two different states have the same path
   */
  getStates(stateName?: string): Map<string, SharedVariable> {
    return this.#variablesByPath((brick) => brick.states, stateName);
  }

  #selectVariables(path: string | Path, variablesOf: (brick: Brick) => readonly SharedVariable[]): SharedVariable[] {
    const { bricks, parameter } = typeof path === 'string' ? Path.parse(path) : path;
    if (parameter === undefined) throw new Error(`Selector: ${String(path)} is the path of a brick; use select`);
    return this.select(new Path(bricks)).bricks.flatMap((brick) =>
      variablesOf(brick).filter((candidate) => candidate.name === parameter),
    );
  }

  #variablesByPath(
    variablesOf: (brick: Brick) => readonly SharedVariable[],
    name: string | undefined,
  ): Map<string, SharedVariable> {
    const found = new Map<string, SharedVariable>();
    const visit = (brick: Brick): void => {
      for (const variable of variablesOf(brick)) {
        if (name !== undefined && variable.name !== name) continue;
        const path = brick.hierarchicalName(variable);
        const present = found.get(path);
        if (present !== undefined && present !== variable) throw new Error(duplicatePath(path));
        found.set(path, variable);
      }
      for (const child of brick.children) visit(child);
    };
    for (const brick of this.bricks) visit(brick);
    return found;
  }
}

/** Says that a path is not unique, and what to do. */
export function duplicatePath(path: string): string {
  return (
    `Two different variables have the path ${path}; paths name parameters and states in checkpoints and must be unique. ` +
    'Give the bricks different names: new Linear({ name: ... })'
  );
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
