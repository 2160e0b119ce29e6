import { performance } from 'node:perf_hooks';

/** Time that a section took, and those inside of it. */
interface Section {
  readonly name: string;
  readonly inside: Map<string, Section>;
  totalMs: number;
  calls: number;
  startedAt: number;
}

/** Where time goes: sections that are entered and left, with sections inside of them (Blocks: `Profile`). Prints itself. */
export class Profile {
  readonly #root = sectionOf('');
  readonly #entered: Section[] = [this.#root];
  readonly #now: () => number;

  /** @param now milliseconds of a clock that is never set; default `performance.now` */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A section begins, inside of the one that was entered last. */
  enter(name: string): void {
    const { inside } = this.#present;
    let section = inside.get(name);
    if (section === undefined) {
      section = sectionOf(name);
      inside.set(name, section);
    }
    section.startedAt = this.#now();
    this.#entered.push(section);
  }

  /** The section that was entered last ends. @throws Error where none was */
  exit(): void {
    const section = this.#present;
    if (section === this.#root) throw new Error('Profile: exit() without enter(); leave each section once');
    section.totalMs += this.#now() - section.startedAt;
    section.calls += 1;
    this.#entered.pop();
  }

  /** Milliseconds that a section took so far: `totalMs('training', 'epoch', 'train')`; 0 where it was not entered. */
  totalMs(...path: readonly string[]): number {
    return path.reduce<Section | undefined>((section, name) => section?.inside.get(name), this.#root)?.totalMs ?? 0;
  }

  /** Writes it as a table. @param write default: to standard error */
  report(write: (text: string) => void = (text) => void process.stderr.write(text)): void {
    write(`${this.toString()}\n`);
  }

  /** A line for each section, with its part of all that was measured, those inside of it below, and `other` for what none of them took. */
  toString(): string {
    const measured = sumOf(this.#root);
    const lines = linesOf(this.#root, '');
    const width = Math.max('Section'.length, ...lines.map(({ label }) => label.length));
    const rows = lines.map(({ label, totalMs, calls }) =>
      [
        label.padEnd(width),
        (totalMs / 1000).toFixed(3).padStart(10),
        `${((100 * totalMs) / measured || 0).toFixed(1)} %`.padStart(8),
        (calls === undefined ? '' : String(calls)).padStart(9),
        (calls === undefined ? '' : (totalMs / calls).toFixed(3)).padStart(11),
      ].join(' '),
    );
    const head = ['Section'.padEnd(width), 'seconds'.padStart(10), 'of all'.padStart(8), 'calls'.padStart(9)];
    return [`${head.join(' ')} ${'ms a call'.padStart(11)}`, ...rows.map((row) => row.trimEnd())].join('\n');
  }

  get #present(): Section {
    return this.#entered.at(-1) ?? this.#root;
  }
}

/** Measures what is done, as a section of a profile (Blocks: `Timer`). */
export class Timer {
  readonly section: string;
  readonly #profile: Profile;

  constructor(section: string, profile: Profile) {
    this.section = section;
    this.#profile = profile;
  }

  /** What `action` gives. A promise is waited for; nothing else may be measured meanwhile. */
  async time<T>(action: () => Promise<T>): Promise<T> {
    this.#profile.enter(this.section);
    try {
      return await action();
    } finally {
      this.#profile.exit();
    }
  }
}

function sectionOf(name: string): Section {
  return { name, inside: new Map(), totalMs: 0, calls: 0, startedAt: 0 };
}

interface Line {
  readonly label: string;
  readonly totalMs: number;
  readonly calls?: number;
}

function linesOf({ inside }: Section, indent: string): Line[] {
  return [...inside.values()].flatMap((section) => {
    const { name, totalMs, calls } = section;
    const rest = totalMs - sumOf(section);
    const other = section.inside.size === 0 || rest <= 0 ? [] : [{ label: `${indent}  other`, totalMs: rest }];
    return [{ label: `${indent}${name}`, totalMs, calls }, ...linesOf(section, `${indent}  `), ...other];
  });
}

function sumOf({ inside }: Section): number {
  return [...inside.values()].reduce((sum, { totalMs }) => sum + totalMs, 0);
}
