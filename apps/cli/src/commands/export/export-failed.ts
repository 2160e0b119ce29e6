/** The record could not be written to where it was to be. */
export class ExportFailed extends Error {
  override readonly name = 'ExportFailed';
}
