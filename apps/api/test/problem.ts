import { isFault, Problem, type ProblemError, type ProblemKind, problemKinds } from '@longrun/contracts';
import { expect } from 'vitest';

/** What of a supertest answer is looked at. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** What people read of a problem error. */
export type InWords = Pick<ProblemError, 'pointer' | 'detail' | 'remedy'>;

/**
 * Checks that an answer is a problem document of a kind in all its parts, codes and facts of its errors included, and gives
 * what people read of them.
 */
export function problemErrorsOf(answer: Answer, kind: ProblemKind): readonly InWords[] {
  return problemFaultsOf(answer, kind).map(({ pointer, detail, remedy }) => ({ pointer, detail, remedy }));
}

/** The same, and gives the errors whole. */
export function problemFaultsOf(answer: Answer, kind: ProblemKind): readonly ProblemError[] {
  expect(answer.text).toMatch(/^\{/);
  const problem = Problem.strict().parse(JSON.parse(answer.text));
  const { status, title, faults } = problemKinds[kind];
  expect(problem).toMatchObject({ type: `/problems/${kind}`, status, title });
  expect(answer.status).toBe(status);
  expect(String(answer.headers['content-type'])).toBe('application/problem+json; charset=utf-8');
  expect(problem.instance).toBe(`urn:uuid:${String(answer.headers['x-request-id'])}`);
  const errors = problem.errors ?? [];
  expect(errors.length).toBeGreaterThan(0);
  for (const { code, facts, detail, remedy } of errors) {
    expect(Object.keys(faults)).toContain(code);
    expect({ code, facts, known: isFault({ code, facts }) }).toEqual({ code, facts, known: true });
    expect(detail).toMatch(/^.+[.!?…]$/s);
    expect(remedy).toMatch(/^.+[.!?…]$/s);
  }
  return errors;
}
