/** Training and test points: the training set has a long tail, the test set is balanced. */
import { generator } from "./random.js";
import { world } from "./worlds.js";

/** Test points of each class. */
export const TESTS = 200;

/**
 * Class counts that fall exponentially from `largest` to `largest / factor`, as in the long-tailed benchmarks.
 * @returns {number[]} (d,), at least 2 each: one point has no spread.
 */
export const longTail = (classes, largest, factor) =>
  Array.from({ length: classes }, (_, c) => Math.max(2, Math.round(largest * factor ** (-c / (classes - 1)))));

/**
 * The points of a setting.
 * @param {{world: string, classes: number, factor: number, noise: number, points: number, seed: number,
 *   drawn: Array<[number, number, number]>}} setting `drawn` holds class, x and y of points by hand.
 * @returns {{x: Float64Array, y: Int32Array, counts: number[], classes: number, testX: Float64Array,
 *   testY: Int32Array, anchors: Array<[number, number]>, bayes: ?function}} x (N, 2), y (N,); `bayes` gives log
 *   densities (n, d) of points (n, 2), null where nobody knows them.
 */
export function makeData(setting) {
  return setting.world === "drawn" ? fromHand(setting) : fromWorld(setting);
}

function fromWorld({ world: name, classes, factor, noise, points, seed }) {
  const counts = longTail(classes, points, factor);
  const place = world(name, classes, noise);
  const draw = (numbers, random) =>
    gather(numbers.flatMap((n, c) => Array.from({ length: n }, () => [c, ...place.draw(c, random)])));
  const [x, y] = draw(counts, generator(seed));
  const [testX, testY] = draw(
    counts.map(() => TESTS),
    generator(seed + 1_000_003),
  );
  return {
    x,
    y,
    counts,
    classes,
    testX,
    testY,
    anchors: counts.map((_, c) => place.anchor(c)),
    bayes: place.logDensities,
  };
}

/** Test points of a drawn class are its points, blurred by the noise, so that a class of three is tested as often. */
function fromHand({ drawn, noise, seed }) {
  const classes = Math.max(2, ...drawn.map(([c]) => c + 1));
  const groups = Array.from({ length: classes }, (_, c) => drawn.filter(([own]) => own === c));
  const random = generator(seed + 1_000_003),
    width = 0.15 * noise;
  const tests = groups.flatMap((group, c) =>
    group.length
      ? Array.from({ length: TESTS }, () => {
          const [, px, py] = group[Math.floor(random.uniform() * group.length)];
          return [c, px + width * random.normal(), py + width * random.normal()];
        })
      : [],
  );
  const [x, y] = gather(groups.flat()),
    [testX, testY] = gather(tests);
  const anchors = groups.map((group) =>
    group.reduce(([ax, ay], [, px, py]) => [ax + px / group.length, ay + py / group.length], [0, 0]),
  );
  return { x, y, counts: groups.map((group) => group.length), classes, testX, testY, anchors, bayes: null };
}

function gather(rows) {
  return [Float64Array.from(rows.flatMap(([, px, py]) => [px, py])), Int32Array.from(rows, ([c]) => c)];
}

/**
 * Batches of epochs without end: each epoch is a new order of all points, cut into nearly equal parts.
 * @param {number} n points
 * @param {number} size wanted
 * @param {number} seed
 * @returns {function(): {rows: Int32Array, last: boolean}} `last` ends an epoch.
 */
export function batches(n, size, seed) {
  const random = generator(seed),
    parts = Math.max(1, Math.round(n / size));
  let order = null,
    part = 0;
  return () => {
    if (part === 0) order = random.permutation(n);
    const rows = order.slice(Math.floor((part * n) / parts), Math.floor(((part + 1) * n) / parts));
    part = (part + 1) % parts;
    return { rows, last: part === 0 };
  };
}
