/** Whether something was submitted is not known: it was sent, and no answer came. */
export class SubmissionUnknown extends Error {
  override readonly name = 'SubmissionUnknown';

  constructor(why: string, idempotencyKey: string, options?: ErrorOptions) {
    super(
      `${why}; whether it was recorded is not known: see \`longrun ls\`, or submit it again with --idempotency-key ${idempotencyKey}, which submits it at most once`,
      options,
    );
  }
}
