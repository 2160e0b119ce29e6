import type { Initialization } from '../initialization/initialization.js';
import { Brick, type BrickOptions } from './brick.js';

/** Options of bricks that have parameters, or children that have. */
export interface InitializableOptions extends BrickOptions {
  /** How weights get their values. Default: not set, to be set later or by a parent. */
  readonly weightsInit?: Initialization | undefined;
  /** How biases get their values. Default: not set, to be set later or by a parent. */
  readonly biasesInit?: Initialization | undefined;
  /** Whether there are biases. Default true. */
  readonly useBias?: boolean | undefined;
}

/**
 * A brick that hands down to its children how to initialize weights and biases and whether to have biases, as far as that is
 * set (Blocks: `Initializable`). There is no seed: each parameter has a random stream of its own.
 */
export abstract class Initializable extends Brick {
  weightsInit: Initialization | undefined;
  biasesInit: Initialization | undefined;
  #useBias: boolean | undefined;

  constructor(options: InitializableOptions = {}) {
    super(options);
    this.weightsInit = options.weightsInit;
    this.biasesInit = options.biasesInit;
    this.#useBias = options.useBias;
  }

  /** True unless set otherwise. */
  get useBias(): boolean {
    return this.#useBias ?? true;
  }

  set useBias(useBias: boolean) {
    this.#useBias = useBias;
  }

  protected override pushAllocation(): void {
    if (this.#useBias === undefined) return;
    for (const child of this.children) if (child instanceof Initializable) child.useBias = this.#useBias;
  }

  protected override pushInitialization(): void {
    for (const child of this.children) {
      if (!(child instanceof Initializable)) continue;
      if (this.weightsInit !== undefined) child.weightsInit = this.weightsInit;
      if (this.biasesInit !== undefined) child.biasesInit = this.biasesInit;
    }
  }

  protected override carryOver(original: this): void {
    super.carryOver(original);
    this.weightsInit = original.weightsInit;
    this.biasesInit = original.biasesInit;
    this.#useBias = original.#useBias;
  }

  /** `scheme`, or an error when it is not set. */
  protected required(scheme: Initialization | undefined, name: 'weightsInit' | 'biasesInit'): Initialization {
    if (scheme !== undefined) return scheme;
    throw new Error(
      `${this.uniquePath}: initialization config not set: ${name}; give ${name} to the brick or to a parent of it`,
    );
  }
}
