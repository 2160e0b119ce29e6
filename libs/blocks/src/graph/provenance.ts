import type { Variable } from '@longrun/tensor';

import { ApplicationCall } from '../bricks/application-call.js';
import { Brick } from '../bricks/brick.js';
import { annotationsOf, type Annotation } from './annotations.js';

/** The first annotation of a class. */
export function getAnnotation<A extends Annotation>(
  variable: Variable,
  annotationClass: abstract new (...args: never[]) => A,
): A | undefined {
  return annotationsOf(variable).find((annotation): annotation is A => annotation instanceof annotationClass);
}

/** The brick that made `variable`. */
export function getBrick(variable: Variable): Brick | undefined {
  return getAnnotation(variable, Brick);
}

/** The call that made `variable`. */
export function getApplicationCall(variable: Variable): ApplicationCall | undefined {
  return getAnnotation(variable, ApplicationCall);
}
