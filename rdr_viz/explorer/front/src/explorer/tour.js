/** Six stops that set the choices and say what to see. What a stop needs and is not there is left out of it. */

export const STOPS = [
  {
    title: "Why CE's loss looks fine",
    say: "The loss is a mean over training images, and nearly all of them are of common classes. It falls and falls while the rare classes are hardly learnt. Compare the left panel with the right one.",
    state: { methods: ["ce"], view: "learning" },
  },
  {
    title: "What 1/n buys, and costs",
    say: "1/n lets every class have the same say. It wins on Few. Look at Many: does it pay for that there?",
    state: { methods: ["ce", "inverse"], view: "accuracy" },
  },
  {
    title: "Where RDR's weights come from",
    say: "RDR multiplies 1/n by a ratio that it measures in each batch. Its weights wobble around those of 1/n: whatever the ratio adds has to come from that wobble.",
    state: { methods: ["inverse", "rdr"], view: "weights" },
  },
  {
    title: "What deferring does",
    say: "The authors' code trains by plain CE for four fifths of the run and re-weights only then. So the fair rival of its RDR is 1/n deferred by the same schedule.",
    state: { methods: ["ce", "inverse", "inverse+drw", "rdr:preset=released"], view: "accuracy" },
    data: /recipe authors/,
  },
  {
    title: "Logit adjustment, one line of code",
    say: "LA weighs nothing: it tells the network how common each class is and asks it to win by that margin. Which classes does it serve better than RDR?",
    state: { methods: ["ce", "la", "rdr"], view: "classes" },
  },
  {
    title: "What curvature adds",
    say: "A sharp minimum is said to generalise worse. Each curve shows how far the curvature of the loss on the smallest class reaches to the right. Is the flatter method also the more accurate one?",
    state: { methods: ["ce", "inverse", "rdr"], view: "density" },
  },
];
