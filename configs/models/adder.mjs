/**
 * A ripple-carry adder of `bits` binary digits as an exact ReLU network: every gate of the circuit is a small ReLU network.
 *
 * Inputs are a_0 .. a_{bits-1}, b_0 .. b_{bits-1}, 0 or 1, the least digit first; outputs are the bits + 1 digits of the sum. With the
 * number t = a_i + b_i + c_i of ones at a place, relu(t - 1) - relu(t - 2) is the carry c_{i+1} (is t two or more?), and
 * t - 2 c_{i+1} the digit. So a stage has the hidden units relu(t), relu(t - 1), relu(t - 2), and relu carries on what is not negative:
 * digits that are done, and those of later places. All weights are integers, and all numbers small, so that nothing is rounded.
 */
export default ({ tf, bits = 5 }) => {
  const layers = [];
  // What the units before the next stage hold: digits done, the carry, digits to come of a and of b.
  let before = { digits: 0, hasCarry: false, rest: bits };
  const dense = (name, rows, activation, biases) => {
    const kernel = tf.transpose(tf.tensor2d(rows));
    const [inputDim, units] = kernel.shape;
    const weights = [kernel, tf.tensor1d(biases)];
    layers.push(
      tf.layers.dense({
        name,
        units,
        activation,
        weights,
        ...(layers.length === 0 && { inputShape: [inputDim] }),
      }),
    );
  };
  for (let i = 0; i < bits; i++) {
    const { digits, hasCarry, rest } = before;
    const carry = hasCarry ? 1 : 0;
    const width = digits + carry + 2 * rest;
    const unit = (...places) => Array.from({ length: width }, (_, j) => (places.includes(j) ? 1 : 0));
    const a = digits + carry;
    const ones = unit(...(hasCarry ? [digits] : []), a, a + rest);
    const kept = (from, count) => Array.from({ length: count }, (_, j) => unit(from + j));
    const hidden = [
      ...kept(0, digits),
      ones,
      ones,
      ones,
      ...kept(a + 1, rest - 1),
      ...kept(a + rest + 1, rest - 1),
    ];
    const biases = hidden.map((_, j) => (j === digits + 1 ? -1 : j === digits + 2 ? -2 : 0));
    dense(`count${i}`, hidden, 'relu', biases);
    const pick = (entries) => hidden.map((_, j) => entries[j] ?? 0);
    const digit = pick({ [digits]: 1, [digits + 1]: -2, [digits + 2]: 2 });
    const next = pick({ [digits + 1]: 1, [digits + 2]: -1 });
    const done = Array.from({ length: digits }, (_, j) => pick({ [j]: 1 }));
    const later = Array.from({ length: 2 * (rest - 1) }, (_, j) => pick({ [digits + 3 + j]: 1 }));
    dense(`add${i}`, [...done, digit, next, ...later], 'linear', Array(digits + 2 + later.length).fill(0));
    before = { digits: digits + 1, hasCarry: true, rest: rest - 1 };
  }
  return tf.sequential({ layers });
};
