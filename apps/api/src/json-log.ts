import { ConsoleLogger } from '@nestjs/common';
import { visibleText } from '@longrun/contracts';

/** The log of the API: one line of JSON for each message, in which nothing of what others have sent acts on a terminal. */
export class JsonLog extends ConsoleLogger {
  constructor() {
    super({ json: true, flattenParams: true });
  }

  protected override stringifyReplacer(key: string, value: unknown): unknown {
    const replaced = super.stringifyReplacer(key, value);
    return typeof replaced === 'string' ? visibleText(replaced) : replaced;
  }
}
