import {
  Bidirectional,
  Constant,
  Fork,
  GatedRecurrent,
  Initializable,
  IsotropicGaussian,
  LookupFeedback,
  LookupTable,
  Readout,
  SequenceContentAttention,
  SequenceGenerator,
  SoftmaxEmitter,
  type GatedRecurrentInputs,
} from '@longrun/blocks';
import { dimension, type Variable } from '@longrun/tensor';

import { CHARACTERS, END_OF_LINE } from './reversed-lines.js';

/** Reads a line in both directions and writes another one of it, character by character, attending to what was read. All variables are (time, batch). */
export class WordReverser extends Initializable {
  readonly lookup: LookupTable;
  readonly fork: Fork<'inputs' | 'gate_inputs'>;
  readonly encoder: Bidirectional<GatedRecurrentInputs, { readonly states: Variable }>;
  readonly generator: SequenceGenerator;

  /** @param dim size of what stands for a character, and of each state */
  constructor(dim: number) {
    super({ weightsInit: new IsotropicGaussian(0.1), biasesInit: new Constant(0) });
    const { length } = CHARACTERS;
    this.lookup = new LookupTable({ length, dim });
    this.fork = new Fork({ outputNames: ['inputs', 'gate_inputs'], inputDim: dim, outputDims: [dim, 2 * dim] });
    this.encoder = new Bidirectional({ prototype: new GatedRecurrent({ dim }) });
    this.generator = new SequenceGenerator({
      readout: new Readout({
        sourceNames: ['states', 'feedback', 'weighted_averages'],
        readoutDim: length,
        emitter: new SoftmaxEmitter({ initialOutput: END_OF_LINE }),
        feedbackBrick: new LookupFeedback({ numOutputs: length, feedbackDim: dim }),
      }),
      transition: new GatedRecurrent({ name: 'decoder', dim }),
      attention: new SequenceContentAttention({ stateNames: ['states'], attendedDim: 2 * dim, matchDim: dim }),
    });
    for (const brick of [this.lookup, this.fork, this.encoder, this.generator]) this.addChild(brick);
  }

  /** What it costs to write `outputs`, which are as long as what is read. */
  cost(characters: Variable, mask: Variable, outputs: Variable): Variable {
    return this.generator.cost({ outputs, mask, ...this.#read(characters, mask) });
  }

  /** What is written by chance: as long as what is read. */
  generate(characters: Variable, mask: Variable): Variable {
    const [nSteps, batchSize] = [dimension(characters, 0), dimension(characters, 1)];
    const { outputs } = this.generator.generate(this.#read(characters, mask), { nSteps, batchSize });
    if (outputs === undefined) throw new Error('a generator gives outputs');
    return outputs;
  }

  #read(characters: Variable, mask: Variable): { readonly attended: Variable; readonly attended_mask: Variable } {
    const { states } = this.encoder.apply({ ...this.fork.apply(this.lookup.apply(characters)), mask });
    return { attended: states, attended_mask: mask };
  }
}
