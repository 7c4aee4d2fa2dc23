/**
 * Where the classes lie in the plane, roughly [-1, 1]^2. A class is a curve (or a point) on which places are drawn
 * evenly, blurred by a normal distribution: so its density is known, and with it the Bayes rule for balanced classes.
 */

/** How a world is called, and how many classes it can have. */
export const WORLDS = {
  blobs: { label: "Blobs", most: 5 },
  moons: { label: "Moons", most: 5 },
  rings: { label: "Rings", most: 5 },
  spirals: { label: "Spirals", most: 5 },
  drawn: { label: "Draw", most: 5 },
};

/** Places on a curve that stand for it in the density. */
const NODES = 64;
const TURN = 2 * Math.PI;

/** By world: `(class, classes) -> t in [0, 1] -> [x, y]`. */
const CURVES = {
  blobs: (c, d) => {
    const angle = 0.5 + (TURN * c) / d;
    return () => [0.62 * Math.cos(angle), 0.62 * Math.sin(angle)];
  },
  // Half circles, each turned over and moved on against the one before, as links of a chain.
  moons: (c, d) => {
    const radius = 2 / (d + 1),
      sign = c % 2 ? -1 : 1;
    const x = (c - (d - 1) / 2) * radius;
    return (t) => [x + radius * Math.cos(Math.PI * t), sign * (radius * Math.sin(Math.PI * t) - 0.28 * radius)];
  },
  // The rarest class is the innermost, so that it has others on one side only.
  rings: (c, d) => {
    const radius = d === 1 ? 0.5 : 0.16 + (0.8 * (d - 1 - c)) / (d - 1);
    return (t) => [radius * Math.cos(TURN * t), radius * Math.sin(TURN * t)];
  },
  spirals: (c, d) => (t) => {
    const radius = 0.14 + 0.82 * t,
      angle = (TURN * c) / d + 3.4 * t;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  },
};

/** Width of the blur at noise 1; blobs have no curve to fill, so they take more. */
const BLUR = { blobs: 0.55, moons: 0.3, rings: 0.28, spirals: 0.24 };

/**
 * A world with its noise: how to draw from a class, and each class's log density.
 * @param {string} name a key of WORLDS but "drawn".
 * @param {number} classes d
 * @param {number} noise 0..1
 */
export function world(name, classes, noise) {
  const curves = Array.from({ length: classes }, (_, c) => CURVES[name](c, classes));
  const width = Math.max(BLUR[name] * noise, 0.01);
  const nodes = curves.map((curve) =>
    name === "blobs" ? [curve(0)] : Array.from({ length: NODES }, (_, i) => curve((i + 0.5) / NODES)),
  );
  return {
    /** @returns {[number, number]} a point of class c. */
    draw(c, random) {
      const [x, y] = curves[c](random.uniform());
      return [x + width * random.normal(), y + width * random.normal()];
    },
    /** @returns {[number, number]} where the class's letter stands. */
    anchor: (c) => curves[c](name === "spirals" ? 0.92 : name === "rings" ? 0.31 : 0.5),
    logDensities: (points) => mixtures(points, nodes, width),
  };
}

/**
 * Log density of each class at points, up to one constant for all: normal distributions of one width around its nodes.
 * @param {Float64Array} points (n, 2)
 * @param {Array<Array<[number, number]>>} nodes by class
 * @param {number} width
 * @returns {Float64Array} (n, d)
 */
export function mixtures(points, nodes, width) {
  const n = points.length / 2,
    d = nodes.length,
    out = new Float64Array(n * d);
  const scale = -0.5 / (width * width);
  for (let c = 0; c < d; c++) {
    const x = Float64Array.from(nodes[c], (node) => node[0]),
      y = Float64Array.from(nodes[c], (node) => node[1]);
    const share = Math.log(nodes[c].length);
    for (let i = 0; i < n; i++) {
      let nearest = Infinity,
        total = 0;
      for (let k = 0; k < x.length; k++) {
        nearest = Math.min(nearest, (points[2 * i] - x[k]) ** 2 + (points[2 * i + 1] - y[k]) ** 2);
      }
      for (let k = 0; k < x.length; k++) {
        const away = (points[2 * i] - x[k]) ** 2 + (points[2 * i + 1] - y[k]) ** 2 - nearest;
        if (scale * away > -40) total += Math.exp(scale * away);
      }
      out[i * d + c] = scale * nearest + Math.log(total) - share;
    }
  }
  return out;
}
