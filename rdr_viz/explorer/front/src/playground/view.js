/** From the plane to a canvas and back: [-1.1, 1.1] always fits, the rest of a longer side shows more of the plane. */

const HALF = 1.1;

/**
 * @param {number} width of the canvas, in its own pixels
 * @param {number} height
 */
export function view(width, height) {
  const scale = Math.min(width, height) / (2 * HALF);
  return {
    width,
    height,
    scale,
    x: (x) => width / 2 + x * scale,
    y: (y) => height / 2 - y * scale,
    back: (px, py) => [(px - width / 2) / scale, (height / 2 - py) / scale],
  };
}

/**
 * Centres of a grid of cells that covers the canvas.
 * @returns {{columns: number, rows: number, points: Float64Array}} points (rows * columns, 2) of the plane
 */
export function cells(view, size) {
  const columns = Math.ceil(view.width / size),
    rows = Math.ceil(view.height / size);
  const points = new Float64Array(2 * columns * rows);
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      points.set(
        view.back(((i + 0.5) * view.width) / columns, ((j + 0.5) * view.height) / rows),
        2 * (j * columns + i),
      );
    }
  }
  return { columns, rows, points };
}

/** A canvas's own pixels follow its place on the page; tells the view, null where it has no place. */
export function fit(canvas) {
  const density = Math.min(devicePixelRatio || 1, 2);
  const width = Math.round(canvas.clientWidth * density),
    height = Math.round(canvas.clientHeight * density);
  if (!width || !height) return null;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  return { ...view(width, height), density };
}
