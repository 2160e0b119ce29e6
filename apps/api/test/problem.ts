import { Problem, type ProblemError } from '@longrun/contracts';
import { expect } from 'vitest';
import { type ProblemKind, problemKinds } from '../src/problems/refusal.js';

/** What of a supertest answer is looked at. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** Checks that an answer is a problem document of a kind in all its parts, and gives its errors. */
export function problemErrorsOf(answer: Answer, kind: ProblemKind): readonly ProblemError[] {
  expect(answer.text).toMatch(/^\{/);
  const problem = Problem.strict().parse(JSON.parse(answer.text));
  expect(problem).toMatchObject({ type: `/problems/${kind}`, ...problemKinds[kind] });
  expect(answer.status).toBe(problemKinds[kind].status);
  expect(String(answer.headers['content-type'])).toBe('application/problem+json; charset=utf-8');
  expect(problem.instance).toBe(`urn:uuid:${String(answer.headers['x-request-id'])}`);
  const errors = problem.errors ?? [];
  expect(errors.length).toBeGreaterThan(0);
  for (const { detail, remedy } of errors) {
    expect(detail).toMatch(/^.+[.!?…]$/s);
    expect(remedy).toMatch(/^.+[.!?…]$/s);
  }
  return errors;
}
