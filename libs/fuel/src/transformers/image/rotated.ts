import { ndarray, type NdArray } from '@longrun/serialization';

/**
 * An image `(channel, height, width)` turned around its middle by an angle in radians, counter-clockwise, as Pillow does it: of the same size, zero where there was nothing. The
 * same bits on every machine. Bilinear is for uint8 and floats.
 */
export function rotated(image: NdArray, angle: number, resample: 'nearest' | 'bilinear'): NdArray {
  const [, rows = 0, columns = 0] = image.shape;
  const [cos, sin] = [rounded(Math.cos(-angle)), rounded(Math.sin(-angle))];
  const [x0, y0] = [columns / 2, rows / 2];
  const turn: Turn = { cos, sin, x: x0 - cos * x0 - sin * y0, y: y0 + sin * x0 - cos * y0 };
  return resample === 'nearest' ? nearest(image, turn) : bilinear(image, turn);
}

/** Where a pixel comes from: `cos x + sin y + x0` of the columns, `-sin x + cos y + y0` of the rows. */
interface Turn {
  readonly cos: number;
  readonly sin: number;
  readonly x: number;
  readonly y: number;
}

/** In whole steps of 2^-16 of a pixel. */
function nearest(image: NdArray, turn: Turn): NdArray {
  const [channels = 0, rows = 0, columns = 0] = image.shape;
  const result = ndarray(image.dtype, image.shape);
  const [cos, sin] = [fixed(turn.cos), fixed(turn.sin)];
  let [rowX, rowY] = [fixed(turn.x + turn.cos * 0.5 + turn.sin * 0.5), fixed(turn.y - turn.sin * 0.5 + turn.cos * 0.5)];
  const back = fixed(-turn.sin);
  for (let row = 0; row < rows; row += 1) {
    let [x, y] = [rowX, rowY];
    for (let column = 0; column < columns; column += 1) {
      const [fromColumn, fromRow] = [Math.floor(x / FIXED), Math.floor(y / FIXED)];
      if (fromColumn >= 0 && fromColumn < columns && fromRow >= 0 && fromRow < rows)
        for (let channel = 0; channel < channels; channel += 1) {
          const pixel = image.data[(channel * rows + fromRow) * columns + fromColumn];
          if (pixel !== undefined) result.data[(channel * rows + row) * columns + column] = pixel;
        }
      x += cos;
      y += back;
    }
    rowX += sin;
    rowY += cos;
  }
  return result;
}

function bilinear(image: NdArray, turn: Turn): NdArray {
  const { dtype } = image;
  if (dtype !== 'uint8' && dtype !== 'float32' && dtype !== 'float64')
    throw new TypeError(
      `images of ${dtype} cannot be turned by bilinear; cast them to uint8 or float32, or take nearest`,
    );
  const [channels = 0, rows = 0, columns = 0] = image.shape;
  const result = ndarray(dtype, image.shape);
  const { data } = image;
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) {
      const x = turn.cos * (column + 0.5) + turn.sin * (row + 0.5) + turn.x;
      const y = -turn.sin * (column + 0.5) + turn.cos * (row + 0.5) + turn.y;
      if (x < 0 || x >= columns || y < 0 || y >= rows) continue;
      const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
      const [dx, dy] = [x - 0.5 - left, y - 0.5 - top];
      const [x1, x2] = [Math.max(0, left), Math.min(columns - 1, left + 1)];
      const [y1, y2] = [Math.max(0, top), Math.min(rows - 1, top + 1)];
      for (let channel = 0; channel < channels; channel += 1) {
        const at = (r: number, c: number): number => Number(data[(channel * rows + r) * columns + c]);
        const upper = at(y1, x1) + (at(y1, x2) - at(y1, x1)) * dx;
        const lower = at(y2, x1) + (at(y2, x2) - at(y2, x1)) * dx;
        // A uint8 cuts off what is behind the point.
        result.data[(channel * rows + row) * columns + column] = upper + (lower - upper) * dy;
      }
    }
  return result;
}

const FIXED = 2 ** 16;

function fixed(value: number): number {
  return Math.floor(value * FIXED + 0.5);
}

/** To 15 digits behind the point, so that a quarter turn is one. */
function rounded(value: number): number {
  return Number(value.toFixed(15));
}
