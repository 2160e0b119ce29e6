import { add, ancestors, identity, matrix, sub, Variable } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { evaluate } from '../../test/evaluate.js';
import { float32 } from '../../test/tiny-experiment.js';
import { collectWarnings } from '../../test/warnings.js';
import { getApplicationCall, getBrick } from '../graph/provenance.js';
import { blocksName } from '../graph/annotations.js';
import { AUXILIARY, COST, hasRoles, INPUT, OUTPUT } from '../roles.js';
import { application, applicationOf } from './application.js';
import { currentCall } from './application-call.js';
import { Brick } from './brick.js';
import { BrickWrapper, wrap } from './brick-wrapper.js';
import { Linear } from './linear.js';
import type { ApplicationResult } from './tagging.js';

class Arithmetic extends Brick {
  @application({ inputs: ['first', 'second'], outputs: ['total', 'difference'] })
  both(first: Variable, second: Variable): Variable[] {
    return [add(first, second), sub(first, second)];
  }

  @application({ outputRoles: [COST] })
  undeclared(first: Variable, options: { readonly twice: boolean }): Variable {
    currentCall().addAuxiliaryVariable(identity(first), { name: 'kept' });
    return options.twice ? add(first, first) : first;
  }

  @application({ inputs: ['parts'], outputs: ['total'] })
  sumOf(parts: readonly Variable[]): Variable {
    return parts.reduce((total, part) => add(total, part));
  }

  @application({ inputs: ['input'], outputs: ['only'] })
  tooMany(input: Variable): Variable[] {
    return [input, input];
  }

  @application({ inputs: ['left', 'right', 'parts'], outputs: ['total', 'difference'] })
  named(given: Operands): { readonly difference: Variable; readonly total: Variable } {
    const { left, right, parts = [] } = given;
    return { difference: sub(left, right), total: parts.reduce((total, part) => add(total, part), add(left, right)) };
  }

  @application({ outputs: ['known'] })
  misnamed(input: Variable): { readonly unknown: Variable } {
    return { unknown: input };
  }

  @application()
  taking(given: unknown): Variable {
    this.taken = given;
    return matrix('x');
  }

  taken: unknown;

  notAnApplication(input: Variable): Variable {
    return input;
  }
}

type Operands = { readonly left: Variable; readonly right: Variable; readonly parts?: readonly Variable[] | undefined };

class Caller extends Brick {
  readonly callee: Brick;
  constructor(callee: Brick, isChild: boolean) {
    super();
    this.callee = callee;
    if (isChild) this.addChild(callee);
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    const [output] = this.callee.application('apply').call([input]);
    return output ?? input;
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  again(input: Variable): Variable {
    return this.apply(input);
  }
}

const warned = collectWarnings();

describe('a call', () => {
  test('annotates copies of inputs and outputs with brick and call, and names them', () => {
    const brick = new Arithmetic();
    const [x, y] = [matrix('x'), matrix('y')];
    const [total, difference] = brick.both(x, y);
    if (total === undefined || difference === undefined) throw new Error('no outputs');

    expect([total.name, difference.name]).toEqual(['arithmetic_both_total', 'arithmetic_both_difference']);
    expect([blocksName(total), blocksName(difference)]).toEqual(['total', 'difference']);
    expect([getBrick(total), getBrick(difference)]).toEqual([brick, brick]);
    expect(getApplicationCall(total)).toBe(getApplicationCall(difference));
    expect(hasRoles(total, [OUTPUT])).toBe(true);

    const [input] = total.owner?.inputs[0]?.owner?.inputs ?? [];
    if (input === undefined) throw new Error('no input');
    expect([input.name, blocksName(input)]).toEqual(['arithmetic_both_first', 'first']);
    expect(hasRoles(input, [INPUT])).toBe(true);
    expect(input.owner?.inputs).toEqual([x]);
    expect([x.name, hasRoles(x, [INPUT])]).toEqual(['x', false]);
  });

  test('each has its own annotation', () => {
    const brick = new Arithmetic();
    const x = matrix('x');

    expect(getApplicationCall(brick.sumOf([x]))).not.toBe(getApplicationCall(brick.sumOf([x])));
  });

  test('without declarations numbers its inputs and outputs, and leaves other arguments alone', () => {
    const output = new Arithmetic().undeclared(matrix('x'), { twice: true });

    expect(output.name).toBe('arithmetic_undeclared_output_0');
    expect(output.owner?.inputs[0]?.owner?.inputs[0]?.name).toBe('arithmetic_undeclared_input_0');
    expect(hasRoles(output, [OUTPUT, COST], { matchAll: true })).toBe(true);
  });

  test('of a list of variables numbers them', () => {
    const output = new Arithmetic().sumOf([matrix('x'), matrix('y')]);
    const names = output.owner?.inputs[0]?.owner?.inputs.map((input) => input.name);

    expect(names).toEqual(['arithmetic_sumOf_parts_0', 'arithmetic_sumOf_parts_1']);
  });

  test('names what it is given in a plain object, and gives, by the keys', async () => {
    const brick = new Arithmetic();
    const [x, y, z] = [matrix('x'), matrix('y'), matrix('z')];
    const { difference, total } = brick.named({ right: y, left: x, parts: [z, z] });

    expect([difference, total].map((output) => [output.name, blocksName(output)])).toEqual([
      ['arithmetic_named_difference', 'difference'],
      ['arithmetic_named_total', 'total'],
    ]);
    expect([getBrick(total), getApplicationCall(total)]).toEqual([brick, getApplicationCall(difference)]);
    const inputs = ancestors([total]).filter((variable) => hasRoles(variable, [INPUT]));
    expect(inputs.map((variable) => variable.name)).toEqual([
      'arithmetic_named_left',
      'arithmetic_named_right',
      'arithmetic_named_parts_0',
      'arithmetic_named_parts_1',
    ]);
    expect(inputs.map((variable) => variable.owner?.inputs[0])).toEqual([x, y, z, z]);
    expect(inputs.map((variable) => getBrick(variable))).toEqual([brick, brick, brick, brick]);
    expect(
      await evaluate(difference, [
        [x, float32([1, 1], [7])],
        [y, float32([1, 1], [3])],
      ]),
    ).toEqual([4]);
  });

  test('gives no result under a name that is not declared', () => {
    expect(() => new Arithmetic().misnamed(matrix('x'))).toThrow(
      '/arithmetic.misnamed gave 1 outputs (unknown) but declares 1 (known)',
    );
  });

  test('leaves objects alone that hold no variables, and those that are not plain', () => {
    const brick = new Arithmetic();
    for (const given of [{ twice: true, sizes: [1] }, new Map([['x', matrix('x')]]), null, undefined]) {
      brick.taking(given);
      expect(brick.taken).toBe(given);
    }
    brick.taking({ x: matrix('x'), depth: 3, mask: undefined });
    expect(brick.taken).toMatchObject({ depth: 3, mask: undefined });
  });

  test('adds auxiliary variables that carry its names, the call and the brick', () => {
    const brick = new Arithmetic();
    const call = getApplicationCall(brick.undeclared(matrix('x'), { twice: false }));
    const [kept] = call?.auxiliaryVariables ?? [];
    if (kept === undefined) throw new Error('no auxiliary variable');

    expect([kept.name, blocksName(kept)]).toEqual(['arithmetic_undeclared_kept', 'kept']);
    expect([getBrick(kept), getApplicationCall(kept)]).toEqual([brick, call]);
    expect(hasRoles(kept, [AUXILIARY])).toBe(true);
  });

  test('with more outputs than declared is refused', () => {
    expect(() => new Arithmetic().tooMany(matrix('x'))).toThrow(
      '/arithmetic.tooMany gave 2 outputs (only, output_1) but declares 1 (only); name them all in @application({ outputs })',
    );
  });

  test('allocates the brick', () => {
    const linear = new Linear({ inputDim: 2, outputDim: 3 });
    linear.apply(matrix('x'));

    expect(linear.allocated).toBe(true);
  });

  test('checks static sizes, naming the application and both shapes', () => {
    const linear = new Linear({ inputDim: 2, outputDim: 3 });
    linear.apply(matrix('x'));

    expect(() => linear.apply(linear.apply(matrix('x')))).toThrow(
      '/linear.apply: input has shape (null, 3) but should end in (2,); change the dimension of the brick or of what feeds it',
    );
  });
});

describe('a brick that calls another', () => {
  test('is warned when it is not its parent', async () => {
    new Caller(new Linear({ inputDim: 2, outputDim: 2 }), false).apply(matrix('x'));

    expect(await warned()).toEqual([
      '/caller calls /linear.apply, which is not one of its children; ' +
        'add it with addChild(), or put @application on the method that calls it',
    ]);
  });

  test('is not warned about its children or itself', async () => {
    new Caller(new Linear({ inputDim: 2, outputDim: 2 }), true).again(matrix('x'));

    expect(await warned()).toEqual([]);
  });

  test('that fails leaves no call behind', async () => {
    const failing = new Caller(new Arithmetic(), true);
    expect(() => failing.apply(matrix('x'))).toThrow('/caller/arithmetic.apply is not an application');
    new Linear({ inputDim: 2, outputDim: 2 }).apply(matrix('x'));

    expect(await warned()).toEqual([]);
    expect(() => currentCall()).toThrow('only of use inside a method with @application');
  });
});

describe('an application as a value', () => {
  test('gives its results as a list or by name', () => {
    const bound = new Arithmetic().application('both');
    const args = [matrix('x'), matrix('y')];

    expect(bound.call(args).map((output) => output.name)).toEqual([
      'arithmetic_both_total',
      'arithmetic_both_difference',
    ]);
    expect(Object.keys(bound.callAsRecord(args))).toEqual(['total', 'difference']);
    const named = new Arithmetic().application('named');
    const [left, right] = args;
    expect(named.call([{ left, right }]).map(blocksName)).toEqual(['total', 'difference']);
    expect(Object.keys(named.callAsRecord([{ left, right }]))).toEqual(['difference', 'total']);
    expect(new Arithmetic().application('sumOf').call([args])).toHaveLength(1);
  });

  test('takes a call id', () => {
    const [output] = new Arithmetic().application('sumOf').call([[matrix('x')]], { callId: 'first' });
    if (output === undefined) throw new Error('no output');

    expect(getApplicationCall(output)?.metadata.get('callId')).toBe('first');
  });

  test('knows its names, and which it is', () => {
    const brick = new Arithmetic();
    const bound = brick.application('both');

    expect([bound.inputs, bound.outputs, bound.name]).toEqual([['first', 'second'], ['total', 'difference'], 'both']);
    expect(bound.equals(brick.application('both'))).toBe(true);
    expect(bound.equals(brick.application('sumOf'))).toBe(false);
    expect(bound.equals(new Arithmetic().application('both'))).toBe(false);
    expect(bound.application).toBe(applicationOf(Arithmetic, 'both'));
  });

  test('is the same one each time', () => {
    const brick = new Arithmetic();

    expect(brick.application('both')).toBe(brick.application('both'));
    expect(getApplicationCall(brick.sumOf([matrix('x')]))?.application).toBe(brick.application('sumOf'));
  });

  test('exists only for decorated methods', () => {
    expect(() => new Arithmetic().application('notAnApplication')).toThrow(
      '/arithmetic.notAnApplication is not an application; put @application on the method',
    );
    expect(() => applicationOf(Arithmetic, 'missing')).toThrow('Arithmetic.missing is not an application');
  });
});

class Layered extends Brick {
  readonly below: Brick;
  readonly levels: number;
  constructor(below: Brick, levels: number) {
    super();
    this.below = below;
    this.levels = levels;
    this.addChild(below);
  }

  @application({
    outputs: (layered: Layered) => Array.from({ length: layered.levels }, (_, level) => `level_${level}`),
    states: ['own'],
    depth: (layered: Layered) => layered.levels,
    kind: 'layered',
    delegate: (layered: Layered) => layered.below.application('apply'),
  })
  apply(input: Variable): Variable[] {
    return Array.from({ length: this.levels }, () => input);
  }
}

describe('what is said of an application', () => {
  class Below extends Brick {
    @application({ inputs: ['deep'], states: ['theirs'], contexts: ['attended'], kind: 'below', colour: 'red' })
    apply(deep: Variable): Variable {
      return deep;
    }
  }

  test('is a value, or what a function finds for the brick', () => {
    const applied = new Layered(new Below(), 2).application('apply');

    expect([applied.attribute('kind'), applied.attribute('depth')]).toEqual(['layered', 2]);
    expect([applied.states, applied.outputs]).toEqual([['own'], ['level_0', 'level_1']]);
    expect([applied.sequences, applied.attribute('nothing')]).toEqual([[], undefined]);
  });

  test('is asked of another application where it is not said', () => {
    const applied = new Layered(new Layered(new Below(), 1), 2).application('apply');

    expect([applied.inputs, applied.contexts, applied.attribute('colour')]).toEqual([['deep'], ['attended'], 'red']);
    const [output] = new Layered(new Below(), 1).apply(matrix('x'));
    expect(output?.owner?.inputs[0]?.name).toBe('layered_apply_deep');
  });

  test('of one brick alone goes first', () => {
    const [one, other] = [new Layered(new Below(), 1), new Layered(new Below(), 1)];
    one.application('apply').setAttribute('kind', 'special');
    one.application('apply').setAttribute('outputs', ['only']);

    expect([one, other].map((brick) => brick.application('apply').attribute('kind'))).toEqual(['special', 'layered']);
    expect(one.apply(matrix('x')).map(blocksName)).toEqual(['only']);
  });

  test('are names where names are asked for', () => {
    const brick = new Layered(new Below(), 1);
    brick.application('apply').setAttribute('inputs', 'x');

    expect(() => brick.application('apply').inputs).toThrow('/layered.apply: inputs are "x"; give a list of names');
  });
});

class Twice extends BrickWrapper {
  override call(
    method: (...args: readonly unknown[]) => ApplicationResult,
    args: readonly unknown[],
  ): ApplicationResult {
    const once = method(...args);
    if (!(once instanceof Variable)) throw new Error(`${currentCall().application.toString()} gives no variable`);
    return method(once);
  }
}

describe('a wrapped application (1.9-95)', () => {
  class Doubled extends Brick {
    @wrap(new Twice())
    @application({ inputs: ['input'], outputs: ['output'], kind: 'doubled' })
    apply(input: Variable): Variable {
      return add(input, input);
    }
  }

  test('does what the wrapper does with the method, as one call of its name', async () => {
    const brick = new Doubled();
    const x = matrix('x');
    const output = brick.apply(x);

    expect(await evaluate(output, [[x, float32([1, 1], [3])]])).toEqual([12]);
    expect([output.name, brick.application('apply').attribute('kind')]).toEqual(['doubled_apply_output', 'doubled']);
    expect(new Set(ancestors([output]).map(getApplicationCall)).size).toBe(2);
    expect(getApplicationCall(output)?.application.application).toBe(applicationOf(Doubled, 'apply'));
  });

  test('is one to begin with', () => {
    expect(() => {
      class Undecorated extends Brick {
        @wrap(new Twice())
        apply(input: Variable): Variable {
          return input;
        }
      }
      return Undecorated;
    }).toThrow('apply is not an application; put @application on the method');
  });
});
