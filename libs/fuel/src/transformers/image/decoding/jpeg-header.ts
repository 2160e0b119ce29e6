/** What the header of a JPEG says of its image. */
export interface JpegHeader {
  readonly height: number;
  readonly width: number;
  /** Three: luma and two of colour; one: luma alone. */
  readonly channels: 1 | 3;
}

/**
 * The header of a small JPEG of the plain kind: 8 bits, sequential, Huffman-coded, in one scan, either grey or YCbCr. Undefined for any other file: progressive (the damage of which `sharp` refuses
 * and `JpegDecoder` does not), CMYK, RGB, of 12 bits, with arithmetic coding, large, or no JPEG.
 */
export function plainJpegHeader(file: Uint8Array): JpegHeader | undefined {
  if (file[0] !== 0xff || file[1] !== START_OF_IMAGE) return undefined;
  let header: JpegHeader | undefined;
  for (let at = 2; file[at] === 0xff;) {
    const marker = file[at + 1] ?? 0;
    const length = wordAt(file, at + 2);
    const segment = file.subarray(at + 4, at + 2 + length);
    if (length < 2 || segment.length !== length - 2) return undefined;
    if (marker === START_OF_SCAN) return segment[0] === header?.channels ? header : undefined;
    if (marker === BASELINE || marker === EXTENDED) {
      header = header === undefined ? headerOfFrame(segment) : undefined;
      if (header === undefined) return undefined;
    } else if (!(marker === ADOBE ? isPlainAdobe(segment) : isAside(marker))) return undefined;
    at += 2 + length;
  }
  return undefined;
}

const START_OF_IMAGE = 0xd8;
const START_OF_SCAN = 0xda;
/** Frames that are sequential and Huffman-coded. */
const BASELINE = 0xc0;
const EXTENDED = 0xc1;
const HUFFMAN_TABLES = 0xc4;
const QUANTIZATION_TABLES = 0xdb;
const RESTART_INTERVAL = 0xdd;
const COMMENT = 0xfe;
const FIRST_OF_APPLICATIONS = 0xe0;
const LAST_OF_APPLICATIONS = 0xef;
/** That of applications by which Adobe's say what the components are. */
const ADOBE = 0xee;
/** Of larger ones `sharp` is as fast, whose code is native: what it sets up for each image is little of them. */
const MOST_PIXELS = 2 ** 17;

function headerOfFrame(segment: Uint8Array): JpegHeader | undefined {
  const [bits, , , , , channels] = segment;
  const [height, width] = [wordAt(segment, 1), wordAt(segment, 3)];
  if (bits !== 8 || (channels !== 1 && channels !== 3) || segment.length !== 6 + 3 * channels) return undefined;
  if (height === 0 || width === 0 || height * width > MOST_PIXELS) return undefined;
  // By other numbers they may be red, green and blue.
  if (channels === 3 && ![1, 2, 3].every((number, at) => segment[6 + 3 * at] === number)) return undefined;
  return { height, width, channels };
}

/** Whether a segment leaves it at YCbCr: it is not Adobe's, or says so. */
function isPlainAdobe(segment: Uint8Array): boolean {
  const isAdobes = segment.length >= 12 && [0x41, 0x64, 0x6f, 0x62, 0x65].every((byte, at) => segment[at] === byte);
  return !isAdobes || segment[11] === 1;
}

/** Tables, comments, and what applications add, such as profiles. */
function isAside(marker: number): boolean {
  return (
    [HUFFMAN_TABLES, QUANTIZATION_TABLES, RESTART_INTERVAL, COMMENT].includes(marker) ||
    (marker >= FIRST_OF_APPLICATIONS && marker <= LAST_OF_APPLICATIONS)
  );
}

/** A number of two bytes; 0 where the file ends before. */
function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
