/**
 * A picture of what was attended to, as SVG: a column for each character that was read, a row for each that was written, and the darker a square, the
 * more the one attends to the other.
 *
 * @param weights of each written character, those of the read ones
 */
export function attentionFigure(read: string, written: string, weights: readonly (readonly number[])[]): string {
  const side = 18;
  const [width, height] = [(read.length + 1) * side, (written.length + 1) * side];
  const letter = (character: string, column: number, row: number): string =>
    `<text x="${(column + 0.5) * side}" y="${(row + 0.72) * side}">${character === ' ' ? '␣' : character}</text>`;
  const squares = weights.flatMap((row, place) =>
    row.map((weight, column) => {
      const shade = Math.round(255 * (1 - weight));
      return `<rect x="${(column + 1) * side}" y="${(place + 1) * side}" width="${side}" height="${side}" fill="rgb(${shade},${shade},255)"/>`;
    }),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="monospace" font-size="13" text-anchor="middle">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...squares,
    ...Array.from(read, (character, place) => letter(character, place + 1, 0)),
    ...Array.from(written, (character, place) => letter(character, 0, place + 1)),
    '</svg>\n',
  ].join('\n');
}
