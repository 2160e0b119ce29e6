import { tagKey, type SharedVariable, type Variable } from '@longrun/tensor';

import { addRole, AUXILIARY, type VariableRole } from '../roles.js';

/**
 * A note on variables of the graph, which may bring variables and updates of its own (Blocks: `Annotation`). Bricks and their
 * applications are annotations of the variables that they make.
 */
export class Annotation {
  readonly #auxiliaryVariables: Variable[] = [];
  readonly #updates = new Map<SharedVariable, Variable>();

  /** Variables that are not needed for the outputs, but may be monitored or penalised. */
  get auxiliaryVariables(): readonly Variable[] {
    return this.#auxiliaryVariables;
  }

  /** New values of shared variables that go with every run of the graph. */
  get updates(): ReadonlyMap<SharedVariable, Variable> {
    return this.#updates;
  }

  /** Adds a variable with role AUXILIARY and `roles`; `name` becomes its name and its Blocks name. */
  addAuxiliaryVariable(variable: Variable, options: AuxiliaryVariableOptions = {}): void {
    addAnnotation(variable, this);
    if (options.name !== undefined) {
      variable.name = options.name;
      setBlocksName(variable, options.name);
    }
    addRole(variable, AUXILIARY);
    for (const role of options.roles ?? []) addRole(variable, role);
    this.#auxiliaryVariables.push(variable);
  }

  /** Adds the new value that `variable` takes with every run of the graph. */
  addUpdate(variable: SharedVariable, value: Variable): void {
    this.#updates.set(variable, value);
  }

  /** Forgets auxiliary variables and updates. */
  protected clearAnnotation(): void {
    this.#auxiliaryVariables.length = 0;
    this.#updates.clear();
  }
}

/** Options of {@link Annotation.addAuxiliaryVariable}. */
export interface AuxiliaryVariableOptions {
  /** Roles besides AUXILIARY. Default none. */
  readonly roles?: readonly VariableRole[];
  /** Default: the variable keeps its name. */
  readonly name?: string;
}

const ANNOTATIONS = tagKey<readonly Annotation[]>('annotations');
const BLOCKS_NAME = tagKey<string>('name');

/** The annotations of `variable`, in the order in which they were added. */
export function annotationsOf(variable: Variable): readonly Annotation[] {
  return variable.tag.get(ANNOTATIONS) ?? [];
}

/** Annotates `variable`. Throws when it has an annotation of the same class: a variable is made by one brick in one call. */
export function addAnnotation(variable: Variable, annotation: Annotation): void {
  const annotations = annotationsOf(variable);
  if (annotations.some((present) => present.constructor === annotation.constructor)) {
    throw new Error(
      `${variable.toString()} already has an annotation of class ${annotation.constructor.name}; annotate a copy of it instead`,
    );
  }
  variable.tag.set(ANNOTATIONS, [...annotations, annotation]);
}

/** The name within its brick or call: `input`, `W` (Blocks: `tag.name`, as opposed to the variable's own name). */
export function blocksName(variable: Variable): string | undefined {
  return variable.tag.get(BLOCKS_NAME);
}

/** Sets the {@link blocksName}. */
export function setBlocksName(variable: Variable, name: string): void {
  variable.tag.set(BLOCKS_NAME, name);
}
