/** After as much more of a file a trainer tells its worker how far it is written. */
const TOLD_BYTES = 4 << 20;

/** Where a file lies that is being written, and how many of its first bytes are. */
export interface Growth {
  readonly growing: string;
  readonly sizeBytes: number;
}

/** For whoever writes large files: has it said now and then how far they are, as a trainer does. */
export function tellingGrowth(say: (growth: Growth) => void): (file: string, sizeBytes: number) => void {
  let told = { file: '', sizeBytes: 0 };
  return (file, sizeBytes) => {
    if (told.file !== file) told = { file, sizeBytes: 0 };
    if (sizeBytes - told.sizeBytes < TOLD_BYTES) return;
    told = { file, sizeBytes };
    say({ growing: file, sizeBytes });
  };
}
