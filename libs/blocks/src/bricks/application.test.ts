import { add, identity, matrix, sub, type Variable } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { collectWarnings } from '../../test/warnings.js';
import { getApplicationCall, getBrick } from '../graph/provenance.js';
import { blocksName } from '../graph/annotations.js';
import { AUXILIARY, COST, hasRoles, INPUT, OUTPUT } from '../roles.js';
import { application, applicationOf, currentCall } from './application.js';
import { Brick } from './brick.js';
import { Linear } from './linear.js';

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

  notAnApplication(input: Variable): Variable {
    return input;
  }
}

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
      '/arithmetic.tooMany gave 2 outputs but declares 1 (only); name them all in @application({ outputs })',
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

  test('exists only for decorated methods', () => {
    expect(() => new Arithmetic().application('notAnApplication')).toThrow(
      '/arithmetic.notAnApplication is not an application; put @application on the method',
    );
    expect(() => applicationOf(Arithmetic, 'missing')).toThrow('Arithmetic.missing is not an application');
  });
});
