import { add, grad, mul, sum, type Variable } from '@longrun/tensor';

/**
 * The Hessian of a cost with respect to some variables together, times a vector that has a part of the shape of each: `hessianTimesVectors(cost, select(cost).role(WEIGHT), vectors)`. How
 * the gradients of all change along the vector; the Hessian itself is never made. Of one variable alone: `hessianTimesVector` of `@longrun/tensor`, which takes a gradient that is there already.
 *
 * @param cost a scalar
 * @param variables of its graph
 * @param vectors for each of them, constants of its shape
 * @returns a product for each, in their order
 * @throws Error when there are not as many vectors as variables; what `grad` throws, where the cost is linear in one of them
 */
export function hessianTimesVectors(
  cost: Variable,
  variables: Iterable<Variable>,
  vectors: readonly Variable[],
): Variable[] {
  const along = [...variables];
  if (along.length === 0 || along.length !== vectors.length) {
    throw new Error(
      `hessianTimesVectors: there are ${vectors.length} vectors for ${along.length} variables; give one for each of one or more`,
    );
  }
  const products = grad(cost, along).flatMap((gradient, at) => {
    const vector = vectors[at];
    return vector === undefined ? [] : [sum(mul(gradient, vector))];
  });
  return grad(
    products.reduce((total, product) => add(total, product)),
    along,
    { considerConstant: vectors },
  );
}
