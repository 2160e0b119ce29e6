/** What was asked of checkpoints could not be done: there is none such, it is damaged, or the store cannot be read. */
export class CheckpointFailed extends Error {
  override readonly name = 'CheckpointFailed';
}

/** Where checkpoints were to be looked for is written so that none can be there. */
export class UnusableObjects extends Error {
  override readonly name = 'UnusableObjects';
}
