/** A small grid of colours drawn large, by hand: into pixels that points can be stamped on without reading them back. */

/**
 * Fill an opaque image from a grid, bilinear between the centres of its cells.
 * @param {Float32Array} grid (rows * columns, 3), colours 0..255
 * @param {number} columns
 * @param {ImageData} image
 */
export function enlarge(grid, columns, image) {
  const rows = grid.length / 3 / columns,
    { data, width, height } = image;
  const across = places(width, columns),
    down = places(height, rows),
    line = new Float32Array(3 * columns);
  for (let j = 0; j < height; j++) {
    const share = down.shares[j],
      upper = 3 * columns * down.cells[j],
      lower = upper + 3 * columns * down.steps[j];
    for (let k = 0; k < line.length; k++) line[k] = grid[upper + k] * (1 - share) + grid[lower + k] * share;
    for (let i = 0, at = 4 * j * width; i < width; i++, at += 4) {
      const right = across.shares[i],
        a = 3 * across.cells[i],
        b = a + 3 * across.steps[i];
      data[at] = line[a] + (line[b] - line[a]) * right;
      data[at + 1] = line[a + 1] + (line[b + 1] - line[a + 1]) * right;
      data[at + 2] = line[a + 2] + (line[b + 2] - line[a + 2]) * right;
      data[at + 3] = 255;
    }
  }
}

/** For each of n pixels: the cell whose centre is the last before it, the step to the next (0 at the end), its share. */
function places(n, count) {
  const cells = new Int32Array(n),
    steps = new Int32Array(n),
    shares = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const place = Math.min(Math.max(((i + 0.5) * count) / n - 0.5, 0), count - 1);
    cells[i] = Math.floor(place);
    steps[i] = cells[i] + 1 < count ? 1 : 0;
    shares[i] = place - cells[i];
  }
  return { cells, steps, shares };
}
