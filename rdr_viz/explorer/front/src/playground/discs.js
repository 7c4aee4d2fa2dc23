/**
 * Discs into pixels, by hand: thousands of small ones a frame, which paths of a canvas take several times as long for.
 */

/** An image of a size, the one that is there if it fits. @returns {ImageData} */
export const imageOf = (image, { width, height }) =>
  image?.width === width && image.height === height ? image : new ImageData(width, height);

/** Fill an image with one opaque colour. */
export function flood({ data }, [red, green, blue]) {
  new Uint32Array(data.buffer).fill((255 << 24) | (blue << 16) | (green << 8) | red);
}

/**
 * Blend a disc over an opaque image, with soft edges.
 * @param {ImageData} image
 * @param {number} x centre, in pixels
 * @param {number} y
 * @param {number} radius
 * @param {number[]} color (3,) 0..255
 * @param {number} opacity 0..1
 */
export function disc(image, x, y, radius, color, opacity) {
  // Smaller than a pixel it covers as much of one as it is large.
  const drawn = Math.max(radius, 0.6),
    share = opacity * Math.min(1, (radius / drawn) ** 2);
  ring(image, x, y, 0, drawn, color, share);
}

/** A rim of some width, centred on the disc's edge. */
export function rim(image, x, y, radius, color, width) {
  ring(image, x, y, radius - width / 2, radius + width / 2, color, 1);
}

/** All between two radii; an inner one of 0 or less leaves no hole. */
function ring({ data, width, height }, x, y, inner, outer, [red, green, blue], opacity) {
  const reach = outer + 0.5,
    hole = inner > 0 ? inner - 0.5 : -2;
  const left = Math.max(0, Math.floor(x - reach)),
    right = Math.min(width - 1, Math.floor(x + reach));
  const top = Math.max(0, Math.floor(y - reach)),
    bottom = Math.min(height - 1, Math.floor(y + reach));
  for (let j = top; j <= bottom; j++) {
    const down = j + 0.5 - y;
    for (let i = left; i <= right; i++) {
      const across = i + 0.5 - x,
        away = Math.sqrt(across * across + down * down);
      if (away >= reach || away <= hole) continue;
      const share = opacity * Math.min(1, reach - away, away - hole),
        at = 4 * (j * width + i);
      data[at] += (red - data[at]) * share;
      data[at + 1] += (green - data[at + 1]) * share;
      data[at + 2] += (blue - data[at + 2]) * share;
    }
  }
}
