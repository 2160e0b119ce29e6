/** A state folder cannot be used, for what it is or where it lies. */
export class UnusableStateFolder extends Error {
  override readonly name = 'UnusableStateFolder';
}

/** Does something in a state folder. Throws UnusableStateFolder where the system refuses it. */
export async function inStateFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new UnusableStateFolder(
      `${folder} cannot be a state folder (${error.message}); give one that this user can write, with --state or LONGRUN_STATE`,
      { cause: error },
    );
  }
}
