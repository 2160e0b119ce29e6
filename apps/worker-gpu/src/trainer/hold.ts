/** Whether training is to wait between two steps, and the end of the wait. */
export class Hold {
  #isOn = false;
  #hasEnded = false;
  #waiting: (() => void)[] = [];

  get isOn(): boolean {
    return this.#isOn;
  }

  begin(): void {
    this.#isOn = !this.#hasEnded;
  }

  end(): void {
    this.#isOn = false;
    for (const goOn of this.#waiting.splice(0)) goOn();
  }

  /** Ends it, and no other will begin. */
  endForGood(): void {
    this.#hasEnded = true;
    this.end();
  }

  /** Resolves when it is not on, or no more. */
  async over(): Promise<void> {
    if (this.#isOn) await new Promise<void>((goOn) => this.#waiting.push(goOn));
  }
}
