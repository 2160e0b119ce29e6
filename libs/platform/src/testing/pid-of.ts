/** The process number of a child. @throws Error if it could not be started. */
export function pidOf(child: { readonly pid?: number | undefined }): number {
  if (child.pid === undefined) throw new Error('the child has no process number: it could not be started');
  return child.pid;
}
