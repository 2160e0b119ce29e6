/** The demo could not be shown to its end. */
export class DemoFailed extends Error {
  override readonly name = 'DemoFailed';
}
