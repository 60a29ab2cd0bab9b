/**
 * A pre-LN transformer on tokens, a tiny GPT-2: token and position embedding; `depth` blocks of causal attention and of an MLP, each
 * on a branch, h + branchScale * branch(layerNorm(h)); a last layer norm, and the logits of the next token at every place. With `classes`
 * every place sees all, and the logits of so many classes are read out of the mean over places.
 */
export default ({
  tf,
  depth = 4,
  width = 64,
  heads = 4,
  tokens = 16,
  vocabulary = 64,
  classes = 0,
  branchScale = 1,
}) => {
  const { add, activation, embedding, layerNormalization } = tf.layers;
  const { Position, Attention, Scale } = customLayers(tf);
  const kernelInitializer = tf.initializers.varianceScaling({ mode: 'fanIn', distribution: 'normal' });
  const dense = (name, units) => tf.layers.dense({ name, units, kernelInitializer });
  const residual = (h, name, branch) => {
    const end = branch(layerNormalization({ name: `${name}/norm` }).apply(h));
    return add({ name }).apply([h, new Scale(`${name}/scale`, branchScale).apply(end)]);
  };
  const attention = (name) => (z) => {
    const heads3 = ['query', 'key', 'value'].map((part) => dense(`${name}/${part}`, width).apply(z));
    return dense(`${name}/out`, width).apply(
      new Attention(`${name}/mix`, heads, classes === 0).apply(heads3),
    );
  };
  const mlp = (name) => (z) => {
    const gelu = activation({ name: `${name}/gelu`, activation: 'gelu' });
    return dense(`${name}/out`, width).apply(gelu.apply(dense(`${name}/in`, 4 * width).apply(z)));
  };
  const tokensIn = tf.input({ name: 'tokens', shape: [tokens], dtype: 'int32' });
  const embeddingsInitializer = tf.initializers.randomNormal({ stddev: 1 });
  let h = embedding({ name: 'embed', inputDim: vocabulary, outputDim: width, embeddingsInitializer }).apply(
    tokensIn,
  );
  h = new Position('position').apply(h);
  for (let i = 1; i <= depth; i++) {
    h = residual(h, `attention${i}`, attention(`attention${i}`));
    h = residual(h, `mlp${i}`, mlp(`mlp${i}`));
  }
  const last = layerNormalization({ name: 'norm' }).apply(h);
  const read = classes ? tf.layers.globalAveragePooling1d({ name: 'average' }).apply(last) : last;
  return tf.model({ inputs: tokensIn, outputs: dense('readout', classes || vocabulary).apply(read) });
};

function customLayers(tf) {
  /** A vector for each place, learnt, is added. */
  class Position extends tf.layers.Layer {
    static className = 'Position';
    constructor(name) {
      super({ name });
    }
    build([, ...shape]) {
      this.vectors = this.addWeight(
        'vectors',
        shape,
        'float32',
        tf.initializers.randomNormal({ stddev: 0.1 }),
      );
      this.built = true;
    }
    call(inputs) {
      return tf.tidy(() => tf.add([inputs].flat()[0], this.vectors.read()));
    }
  }
  /** softmax(Q K^T / sqrt(size)) V in each head; where it is causal, no place sees a later one. */
  class Attention extends tf.layers.Layer {
    static className = 'Attention';
    constructor(name, heads, isCausal) {
      super({ name });
      this.heads = heads;
      this.isCausal = isCausal;
    }
    computeOutputShape([, , value]) {
      return value;
    }
    call(inputs) {
      return tf.tidy(() => {
        const [n, tokens, units] = inputs[0].shape;
        const size = units / this.heads;
        const byHead = (x) => tf.transpose(tf.reshape(x, [n, tokens, this.heads, size]), [0, 2, 1, 3]);
        const [q, k, v] = inputs.map(byHead);
        const all = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(size));
        const past = tf.linalg.bandPart(tf.ones([tokens, tokens]), -1, 0);
        const scores = this.isCausal ? tf.add(all, tf.mul(tf.sub(past, 1), 1e9)) : all;
        const weights = tf.softmax(scores);
        return tf.reshape(tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]), [n, tokens, units]);
      });
    }
  }
  class Scale extends tf.layers.Layer {
    static className = 'Scale';
    constructor(name, factor) {
      super({ name });
      this.factor = factor;
    }
    call(inputs) {
      return tf.tidy(() => tf.mul([inputs].flat()[0], this.factor));
    }
  }
  return { Position, Attention, Scale };
}
