import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { experimentName, parseExperiment } from './load.js';
import { formatProblems } from './problem.js';

const TEXT = `{
  "network": { "depth": 10, "width": 16 },
  "scaling": "MF+muP",
  "record": { "quantities": ["bfa_rad"] }
}`;

/** What slopes need. */
const GROWS = { sweep: { width: [16, 32] } };

/** Inputs of a property test. */
const RUNS = process.env.FEATURE_SPEED_SLOW ? 10_000 : 300;

/** What is said about a file; nothing when it is right. */
function complaints(text: string, ...overrides: string[]): readonly string[] {
  const parsed = parseExperiment(text, 'x.json', overrides);
  return parsed.ok ? [] : formatProblems(parsed.problems).split('\n');
}

/** The same about the small file above with other values for some of its keys, all on one line. */
function complaintsAbout(changes: object): readonly string[] {
  return complaints(JSON.stringify({ ...JSON.parse(TEXT), ...changes })).map((line) =>
    line.replace(/^x\.json:1:\d+ /, ''),
  );
}

function experimentOf(text: string, ...overrides: string[]) {
  const parsed = parseExperiment(text, 'configs/x.json', overrides);
  if (!parsed.ok) throw new Error(formatProblems(parsed.problems));
  return parsed.experiment;
}

describe('a right file', () => {
  it('has every default filled in', () => {
    expect(experimentOf(TEXT)).toEqual({
      name: 'x',
      title: 'x',
      figure: undefined,
      file: JSON.parse(TEXT),
      axes: {
        depth: [10],
        width: [16],
        inputWidth: [10],
        outputWidth: [1],
        samples: [1],
        hiddenWidth: ['m'],
        branchScale: [1],
        scaling: [
          {
            name: 'MF+muP',
            sigmaInput: '1/sqrt(d)',
            sigmaInner: '1/sqrt(m)',
            sigmaHidden: 'critical',
            sigmaOutput: '1/m',
            learningRate: 'scale-invariant',
            isNormalized: false,
          },
        ],
        architecture: ['resnet'],
        activation: ['relu'],
        stepSize: [0.001],
        loss: ['squared'],
        train: ['hidden'],
      },
      parameters: {},
      nesting: [
        'architecture',
        'activation',
        'depth',
        'width',
        'inputWidth',
        'outputWidth',
        'samples',
        'hiddenWidth',
        'branchScale',
        'scaling',
        'stepSize',
        'loss',
        'train',
      ],
      data: {
        input: { law: 'normal', scale: 1, normalize: 'none' },
        target: { law: 'normal' },
      },
      step: { kind: 'update', count: 1 },
      commonRandomNumbers: [],
      draws: 1,
      seed: 1,
      record: { layers: 'all', quantities: ['bfa_rad'] },
    });
  });

  it('has its name from the file', () => {
    expect(experimentName('configs/figure-1a.json')).toBe('figure-1a');
    expect(experimentName('C:\\configs\\a.b.json')).toBe('a.b');
  });

  it('may give 0 where 0 is a value', () => {
    const experiment = experimentOf(
      TEXT,
      'seed=0',
      'network.branchScale=0',
      'record.quantities=["loss"]',
      'data.target={"law":"constant","value":0}',
    );
    expect(experiment).toMatchObject({ seed: 0, axes: { branchScale: [0] }, data: { target: { value: 0 } } });
  });

  it('may have Windows line ends', () => {
    expect(complaints(TEXT.replaceAll('\n', '\r\n'))).toEqual([]);
  });
});

describe('a text that is not strict JSON', () => {
  it.each([
    ['an empty file', '', ['x.json:1:1: expected an object { ... }, got an empty file']],
    ['blanks', ' \n', ['x.json:1:1: expected an object { ... }, got an empty file']],
    ['another language', 'title: x', ['x.json:1:1: expected a JSON value, got "title"']],
    ['a list', '[1]', ['x.json:1:1: expected an object { ... }, got a list']],
    ['a number', '3', ['x.json:1:1: expected an object { ... }, got a number']],
    ['a file cut short', '{\n  "title": "a"', ['x.json:2:15: expected a closing }, got the end of the file']],
    ['a missing comma', '{"draws": 1 "seed": 2}', ['x.json:1:13: expected a comma, got "\\"seed\\""']],
    ['single quotes', "{'draws': 1}", [`x.json:1:2: expected a JSON value, got "'draws'"`]],
    [
      'deep nesting',
      '['.repeat(100_000),
      ['x.json:1:33: expected at most 32 levels of brackets, got more; an experiment has 5'],
    ],
    [
      'deep nesting behind a quote in a comment',
      `/*"*/${'['.repeat(100_000)}"`,
      ['x.json:1:38: expected at most 32 levels of brackets, got more; an experiment has 5'],
    ],
    [
      'deep nesting behind an escaped line end',
      `{"a\\\n": ${'['.repeat(100_000)}`,
      ['x.json:2:35: expected at most 32 levels of brackets, got more; an experiment has 5'],
    ],
    [
      'a huge file',
      ' '.repeat(2_000_000),
      ['x.json:1:1: expected at most 1048576 characters, got 2000000; is this an experiment file?'],
    ],
    ['NUL', '{\n\0}', ['x.json:2:1: expected UTF-8, got a NUL character; save the file as UTF-8']],
    [
      'another encoding',
      '{ "title": "\uFFFD" }',
      ['x.json:1:13: expected UTF-8, got bytes that are none; save the file as UTF-8'],
    ],
  ])('%s is one clear problem', (_, text, messages) => {
    expect(complaints(text)).toEqual(messages);
  });

  it('is searched on behind marks, comments, trailing commas and duplicate keys', () => {
    const text = `\uFEFF{
  // a comment
  "network": { "depth": 10, "width": 16, },
  "scaling": "FSC",
  "draws": 2,
  "draws": 0,
  "record": { "quantities": ["bfa_rad",] },
}`;
    expect(complaints(text)).toEqual([
      'x.json:1:1: expected UTF-8 without a byte order mark, got one; remove it',
      'x.json:2:3: expected strict JSON, got a comment; remove it',
      'x.json:3:40: expected strict JSON, got a trailing comma; remove it',
      'x.json:6:3 draws: expected every key once, got "draws" again',
      'x.json:6:12 draws: expected an integer >= 1, got 0',
      'x.json:7:39: expected strict JSON, got a trailing comma; remove it',
      'x.json:7:43: expected strict JSON, got a trailing comma; remove it',
    ]);
  });
});

describe('the problems of a file', () => {
  it('are all found at once, each at its place', () => {
    const text = `{
  "titel": "x",
  "network": {
    "depth": 2,
    "activation": "Relu",
    "branchScale": "2/sqrt(L"
  },
  "scaling": { "name": "mine", "sigmaHiden": 1 },
  "sweep": { "depth": [
    2
  ] },
  "record": { "quantities": ["bfa", "loss", "loss"] }
}`;
    expect(complaints(text)).toEqual([
      'x.json:2:3 titel: unknown key; did you mean "title"?',
      'x.json:4:14 network.depth: expected an integer >= 3, got 2; L counts the embedding and the readout',
      'x.json:5:19 network.activation: expected "relu", "linear", "leaky", "tanh", "erf", "gelu" or "silu", got "Relu"; did you mean "relu"?',
      'x.json:6:20 network.branchScale: expected a number or an expression in L, m, d, k, n, got "2/sqrt(L"; it ends too early; allowed are numbers, L, m, d, k, n, pi, e, + - * / ( ) and sqrt, exp, log, pow, abs, round, min, max',
      'x.json:8:32 scaling.sigmaHiden: unknown key; did you mean "sigmaHidden"?',
      'x.json:10:5 sweep.depth[0]: expected an integer >= 3, got 2; L counts the embedding and the readout',
      'x.json:12:30 record.quantities[0]: expected the name of a quantity, got "bfa"',
      'x.json:12:45 record.quantities[2]: expected every value once, got "loss"; it is in the list before',
    ]);
  });

  it('of sound parts are found beside those of broken parts', () => {
    expect(
      complaintsAbout({ record: 5, network: { depth: 4, width: 1, branchScale: '2/sqrt(L) + 1' } }),
    ).toEqual([
      'network.branchScale: expected a number from 0 to 1, got "2/sqrt(L) + 1"; it is 2 at L = 4',
      'record: expected an object { ... }, got 5',
    ]);
  });

  it('are a hundred at most', () => {
    const lines = complaintsAbout({ sweep: { depth: Array.from({ length: 500 }, () => 'x') } });
    expect(lines).toHaveLength(101);
    expect(lines[100]).toMatch(/^x\.json: \d+ more problems$/);
  });

  const DEPTH = 'expected an integer >= 3, got';
  const COUNTS = 'L counts the embedding and the readout';
  const NAMES = 'a number or an expression in L, m, d, k, n, beta';
  const ALLOWED = 'pi, e, + - * / ( ) and sqrt, exp, log, pow, abs, round, min, max';

  it.each<[object, ...string[]]>([
    [{ network: { depth: 2.5, width: 1 } }, `network.depth: ${DEPTH} 2.5; ${COUNTS}`],
    [{ network: { depth: '10', width: 1 } }, `network.depth: ${DEPTH} "10"; ${COUNTS}`],
    [{ network: { depth: 5, width: 0 } }, 'network.width: expected an integer >= 1, got 0'],
    [
      { network: { depth: 5 } },
      'network.width: expected an integer >= 1, got nothing; give it, or sweep.width',
    ],
    [
      { network: { depth: 5, width: 1, branchScale: 1.5 } },
      'network.branchScale: expected a number from 0 to 1, got 1.5',
    ],
    [
      { network: { depth: 5, width: 1, branchScale: 'beta' } },
      `network.branchScale: expected a number or an expression in L, m, d, k, n, got "beta"; the name "beta" is not known here; allowed are numbers, L, m, d, k, n, ${ALLOWED}`,
    ],
    [
      { sweep: { depth: [4, 3], branchScale: [0.5, '2/sqrt(L)'] } },
      'sweep.branchScale[1]: expected a number from 0 to 1, got "2/sqrt(L)"; it is 1.15470053838 at L = 3',
    ],
    [
      { network: { depth: 5, width: 1, branchScale: '1/(m - 1)' } },
      'network.branchScale: expected a number from 0 to 1, got "1/(m - 1)"; 1/(m - 1) is Infinity at m = 1',
    ],
    [{ network: null }, 'network: expected an object { ... }, got null'],
    [{ record: undefined }, 'record: expected an object { ... }, got nothing'],
    [{ scaling: undefined }, 'scaling: expected a scaling, got nothing; give it, or sweep.scaling'],
    [
      { scaling: 'ntk' },
      'scaling: expected "NTK", "MF+muP", "FSC", "auto", a row of Table 1 or 2 such as "FSC (Table 1)", or an object with a "name", got "ntk"',
    ],
    [
      { scaling: 3 },
      'scaling: expected "NTK", "MF+muP", "FSC", "auto", a row of Table 1 or 2 such as "FSC (Table 1)", or an object with a "name", got 3',
    ],
    [{ scaling: { sigmaInput: 1 } }, 'scaling.name: expected a name, got nothing'],
    [
      { scaling: { name: 'FSC', sigmaOutput: 1 } },
      'scaling.name: expected a name of its own, got "FSC"; this one is the name of another',
    ],
    [{ scaling: { name: 'a', sigmaInput: -1 } }, 'scaling.sigmaInput: expected a number >= 0, got -1'],
    [
      { scaling: { name: 'a', sigmaOutput: '1/(L - 10)' } },
      'scaling.sigmaOutput: expected a number >= 0, got "1/(L - 10)"; 1/(L - 10) is Infinity at L = 10',
    ],
    [
      { scaling: { name: 'a', learningRate: 'beta - 2' } },
      'scaling.learningRate: expected a number >= 0, got "beta - 2"; it is -1 at beta = 1',
    ],
    [
      { scaling: { name: 'a', learningRate: { input: 1, hidden: 'L - 20', output: 1 } } },
      'scaling.learningRate.hidden: expected a number >= 0, got "L - 20"; it is -10 at L = 10',
    ],
    [
      { scaling: { name: 'a', learningRate: { input: 1, hidden: 1 } } },
      'scaling.learningRate.output: expected a number or an expression in L, m, d, k, n, beta, got nothing',
    ],
    [
      { network: { depth: 10, width: 16, architecture: 'mlp', branchScale: 0.5 } },
      'network.branchScale: expected no branch scale but 1 for "mlp", got 0.5; "resnet" has branches',
    ],
    [
      { sweep: { architecture: ['resnet', 'mlp'], branchScale: [0.5, 1] } },
      'sweep.branchScale: expected one branch scale where "mlp" is among the architectures, got [0.5,1]; ' +
        'it has none, and would be measured once for each',
    ],
    [
      { network: { depth: 10, width: 16, hiddenWidth: 64 } },
      'network.hiddenWidth: expected no hidden width for "resnet", got 64; "resnet-2" has one',
    ],
    [
      { sweep: { architecture: ['resnet', 'resnet-2'], hiddenWidth: [8, 16] } },
      'sweep.hiddenWidth: expected one hidden width where "resnet" is among the architectures, got [8,16]; ' +
        'it has none, and would be measured once for each',
    ],
    [
      { network: { depth: 10, width: 16, architecture: 'resnet-2', hiddenWidth: 'm - 16' } },
      'network.hiddenWidth: expected a number >= 1, got "m - 16"; it is 0 at m = 16',
    ],
    [
      { sweep: { activation: ['relu', 'relu'] } },
      'sweep.activation[1]: expected every value once, got "relu"; it is in the list before',
    ],
    [
      { scaling: { name: 'a', sigmaHidden: 'criticl' } },
      'scaling.sigmaHidden: expected "critical", a number or an expression, got "criticl"; the name "criticl" is not ' +
        'known here; allowed are numbers, L, m, d, k, n, beta, pi, e, + - * / ( ) and sqrt, exp, log, pow, abs, round, min, max',
    ],
    [
      {
        step: { kind: 'velocity' },
        sweep: { activation: ['relu', 'gelu'] },
        record: { quantities: ['fba_rad'] },
      },
      'record.quantities[0]: expected no activation but relu, linear, leaky for fba_rad, got "gelu"; ' +
        'Prop 6.1 needs one of them',
    ],
    ...(
      [
        [
          { data: { samples: 5 } },
          'one sample for bfa_theory_rad, got 5; the limit for several is not known',
        ],
        [
          { network: { depth: 4, width: 8, activation: 'gelu' } },
          'relu or linear for bfa_theory_rad, got "gelu"; the limit for others is not known',
        ],
        [
          { step: { count: 2 } },
          'step.count 1 for bfa_theory_rad, got 2; the limit is that of the first step',
        ],
        [
          { step: { size: 10 } },
          'a small step for bfa_theory_rad, got 10; the limit is that of dt -> 0, and features change by more than 0.2 of their size',
        ],
      ] as const
    ).map(
      ([changes, message]) =>
        [
          { ...changes, record: { quantities: ['loss', 'bfa_theory_rad'] } },
          `record.quantities[1]: expected ${message}; the column would be empty`,
        ] as [object, string],
    ),
    [
      { network: { depth: 4, width: 8, outputWidth: 3 }, record: { quantities: ['sensitivity_theory'] } },
      'record.quantities[0]: expected one output for sensitivity_theory, got 3; ' +
        'the limit for several is not known; the column would be empty',
    ],
    [
      { step: { train: ['output'] }, record: { quantities: ['sensitivity'] } },
      'record.quantities[0]: expected a layer that learns before the readout for sensitivity, got ["output"]; ' +
        'no feature moves; the column would be empty',
    ],
    [
      { network: { depth: 4, width: 8, branchScale: 0 }, record: { quantities: ['bfa_rad'] } },
      'record.quantities[0]: expected a layer that learns before the readout for bfa_rad, got "hidden"; ' +
        'no feature moves; the column would be empty',
    ],
    [
      { loss: 'cross-entropy', data: { target: { law: 'normal' } } },
      'data.target.law: expected "one-hot" for the cross-entropy, got "normal"; y is a class',
    ],
    [
      { data: { target: { law: 'one-hot' } } },
      'network.outputWidth: expected an integer >= 2 for "one-hot" targets, got 1; they are classes',
    ],
    [
      { step: { train: ['first'] } },
      'step.train[0]: expected "input", "hidden", "output" or the number of a layer, from 1, got "first"',
    ],
    [{ step: { train: [] } }, 'step.train: expected a list of layers, not empty, got []'],
    [{ step: { count: 100_001 } }, 'step.count: expected an integer from 1 to 100000, got 100001'],
    [
      { record: { quantities: ['fba_rad'] } },
      'record.quantities[0]: expected step.kind "velocity" for fba_rad, got "update"; it is of the velocity of the backward pass',
    ],
    [
      { record: { quantities: ['feature_displacement_rms'] } },
      'record.quantities[0]: expected step.count >= 2 for feature_displacement_rms, got 1; before the first step nothing is displaced',
    ],
    [
      { commonRandomNumbers: ['draw'] },
      'commonRandomNumbers[0]: expected "architecture", "activation", "depth", "width", "inputWidth", "outputWidth", ' +
        '"samples", "hiddenWidth", "branchScale", "scaling", "stepSize", "loss" or "train", got "draw"',
    ],
    [{ slopes: [] }, 'slopes: expected a list of slopes, not empty, got []'],
    [
      { ...GROWS, slopes: [{ quantity: 'bfa_rad', axis: 'beta' }] },
      'slopes[0].axis: expected "depth", "width", "inputWidth", "outputWidth" or "samples", got "beta"',
    ],
    [
      { ...GROWS, slopes: [{ quantity: 'bfa_rad', axis: 'width', margin: 0 }] },
      'slopes[0].margin: expected a number > 0, got 0',
    ],
    [
      { ...GROWS, slopes: [{ quantity: 'bfa_rad', axis: 'width', expected: '1/2' }] },
      'slopes[0].expected: expected an exponent, or an object with one for each scaling, got "1/2"',
    ],
    [
      { ...GROWS, slopes: [{ quantity: 'bfa_rad', axis: 'width', expected: { 'MF+muP': 'x' } }] },
      'slopes[0].expected["MF+muP"]: expected an exponent, or an object with one for each scaling, got "x"',
    ],
    [
      { ...GROWS, slopes: [{ quantity: 'loss', axis: 'width' }] },
      'slopes[0].quantity: expected one of record.quantities, got "loss"; add it there',
    ],
    [
      { ...GROWS, slopes: [{ quantity: 'bfa_rad', axis: 'depth' }] },
      'slopes[0].axis: expected an axis of two values or more, got "depth"; give sweep.depth',
    ],
    [
      {
        ...GROWS,
        commonRandomNumbers: ['width'],
        slopes: [{ quantity: 'bfa_rad', axis: 'width' }],
      },
      'slopes[0].axis: expected an axis whose cells draw their own random numbers, got "width"; it is in commonRandomNumbers, and the interval needs independent draws',
    ],
    [
      { ...GROWS, slopes: [{ quantity: 'bfa_rad', axis: 'width', expected: { MF: 0 } }] },
      'slopes[0].expected.MF: expected a scaling of this experiment, got "MF"; there are MF+muP',
    ],
    [
      { scaling: { name: 'a', learningRate: 'scale-free' } },
      `scaling.learningRate: expected "scale-invariant", "held", "normalized", "polyak", a number, an expression, or {"input", "hidden", "output"} with one each, got "scale-free"; the name "scale" is not known here; allowed are numbers, L, m, d, k, n, beta, ${ALLOWED}`,
    ],
    [{ data: { samples: 0 } }, 'data.samples: expected an integer >= 1, got 0'],
    [
      { data: { input: { law: 'uniform' } } },
      'data.input.law: expected "normal" or "one-hot", got "uniform"',
    ],
    [{ data: { input: { law: 'normal', scale: 0 } } }, 'data.input.scale: expected a number > 0, got 0'],
    [
      { data: { input: { law: 'normal', scale: 'eval(1)' } } },
      `data.input.scale: expected ${NAMES}, got "eval(1)"; the function "eval" is not known; allowed are numbers, L, m, d, k, n, beta, ${ALLOWED}`,
    ],
    [
      { data: { target: {} } },
      'data.target.law: expected "normal", "constant", "cosine" or "one-hot", got nothing',
    ],
    [
      { data: { target: { law: 'cos' } } },
      'data.target.law: expected "normal", "constant", "cosine" or "one-hot", got "cos"',
    ],
    [{ data: { target: { law: 'constant' } } }, 'data.target.value: expected a number, got nothing'],
    [
      { data: { target: { law: 'normal', value: 1 } } },
      'data.target.value: expected no "value" beside the other keys, got one; remove it or them',
    ],
    [
      { network: { depth: 5, width: 1, inputWidth: 2, outputWidth: 3 }, data: { target: { law: 'cosine' } } },
      'data.target.law: expected outputWidth <= inputWidth = 2 for "cosine", got 3; y_i = cos(pi x_i), i = 1 .. k',
    ],
    [{ step: { size: 0 } }, 'step.size: expected a number > 0, got 0'],
    [
      { step: { kind: 'velocty' } },
      'step.kind: expected "update" or "velocity", got "velocty"; did you mean "velocity"?',
    ],
    [
      { step: { kind: 'velocity' }, record: { quantities: ['loss', 'sensitivity_finite'] } },
      'record.quantities[1]: expected step.kind "update" for sensitivity_finite, got "velocity"; sensitivity is its limit for a velocity',
    ],
    [{ record: { quantities: [] } }, 'record.quantities: expected a list of quantities, not empty, got []'],
    [
      { record: { quantities: ['bfa_rads'] } },
      'record.quantities[0]: expected the name of a quantity, got "bfa_rads"; did you mean "bfa_rad"?',
    ],
    [
      { sweep: { widht: [1] } },
      'sweep.widht: expected an axis, or a parameter that an expression uses, got "widht"; no expression of the file uses it; did you mean "width"?',
    ],
    [
      { sweep: { '': 1 } },
      'sweep[""]: expected an axis or the name of a parameter, got ""; names have letters, digits and _, 40 at most, and begin with a letter; ' +
        'axes are architecture, activation, depth, width, inputWidth, outputWidth, samples, hiddenWidth, branchScale, scaling, stepSize, loss, train',
    ],
    [
      JSON.parse('{"__proto__": 1}'),
      '__proto__: unknown key; known are $schema, title, figure, network, scaling, loss, data, step, sweep, commonRandomNumbers, draws, seed, record, slopes, optima',
    ],
    [
      { sweep: { width: [] } },
      'sweep.width: expected a list of integers >= 1 or expressions, not empty, got []',
    ],
    [
      { sweep: { width: 5 } },
      'sweep.width: expected a list of integers >= 1 or expressions, {"from", "to", "step"} or {"from", "to", "count", "scale"}, got 5',
    ],
    [
      { sweep: { width: [5, 5] } },
      'sweep.width[1]: expected every value once, got 5; it is in the list before',
    ],
    [{ sweep: { scaling: [] } }, 'sweep.scaling: expected a list of scalings, not empty, got []'],
    [
      { sweep: { scaling: [{ name: 'a' }, { name: 'a' }] } },
      'sweep.scaling[1]: expected every value once, got "a"; it is in the list before',
    ],
    [
      { sweep: { depth: { from: 2, to: 5, step: 1 } } },
      `sweep.depth.from: expected a number >= 3, got 2; ${COUNTS}`,
    ],
    [
      { sweep: { depth: { from: 9, to: 5, step: 1 } } },
      'sweep.depth.to: expected a number >= from = 9, got 5',
    ],
    [{ sweep: { depth: { from: 5, to: 9, step: 0 } } }, 'sweep.depth.step: expected a number > 0, got 0'],
    [
      { sweep: { depth: { from: 5, to: 9, count: 1 } } },
      'sweep.depth.count: expected an integer >= 2, got 1',
    ],
    [
      { sweep: { branchScale: { from: 0, to: 1, count: 3, scale: 'log' } } },
      'sweep.branchScale.from: expected a number > 0, got 0; the scale is logarithmic',
    ],
    [
      { sweep: { branchScale: { from: 0, to: 2, step: 1 } } },
      'sweep.branchScale.to: expected a number from 0 to 1, got 2',
    ],
    [
      { sweep: { depth: [4, 16], branchScale: ['1/L', 0.25, 'pow(L, -1)', 0.25000000000001] } },
      'sweep.branchScale[2]: expected a branch scale other than sweep.branchScale[0], "1/L", got "pow(L, -1)"; ' +
        'they are equal at every setting; remove one',
      'sweep.branchScale[3]: expected a branch scale other than sweep.branchScale[1], 0.25, got 0.25000000000001; ' +
        'they are equal at every setting; remove one',
    ],
    [
      { network: { depth: 4, width: 1 }, sweep: { branchScale: ['1/L', '1/(2*sqrt(L))'] } },
      'sweep.branchScale[1]: expected a branch scale other than sweep.branchScale[0], "1/L", got "1/(2*sqrt(L))"; ' +
        'both are 0.25; remove one',
    ],
    [{ draws: 0 }, 'draws: expected an integer >= 1, got 0'],
    [{ seed: -1 }, 'seed: expected an integer from 0 to 9007199254740991, got -1'],
    [{ seed: 2 ** 53 }, 'seed: expected an integer from 0 to 9007199254740991, got 9007199254740992'],
    [{ title: '' }, 'title: expected a text, not empty, got ""'],
  ])('%j is refused with its reason', (changes, ...messages) => {
    expect(complaintsAbout(changes)).toEqual(messages);
  });

  it('may have only small axes and products of axes, which are refused without being made', () => {
    const thousand = { from: 3, to: 1002, step: 1 };
    const started = process.cpuUsage();
    expect(complaintsAbout({ sweep: { depth: { from: 3, to: 4, count: 1e9 } } })).toEqual([
      'sweep.depth: expected at most 1000000 values, got 1000000000',
    ]);
    expect(
      complaintsAbout({
        sweep: { depth: thousand, width: thousand, branchScale: { from: 0, to: 1, count: 1000 } },
      }),
    ).toEqual(['sweep: expected at most 1000000 cells, got 1000000000; 1000000000 settings x 1 draws']);
    expect(complaintsAbout({ draws: 1e9 })).toEqual([
      'draws: expected at most 1000000 cells, got 1000000000; 1 settings x 1000000000 draws',
    ]);
    // Of a processor: of the clock, a busy machine may take more.
    expect(process.cpuUsage(started).user / 1e3).toBeLessThan(500);
  });

  it('never throw, whatever the text', () => {
    const mangled = fc
      .array(
        fc.tuple(
          fc.nat(TEXT.length),
          fc.nat(12),
          fc.constantFrom('', '{', '}', '[', ']', ',', '"', '-1', 'null', '\\', '\n'),
        ),
        {
          maxLength: 4,
        },
      )
      .map((edits) =>
        edits.reduce((text, [at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut), TEXT),
      );
    fc.assert(
      fc.property(fc.oneof(mangled, fc.string(), fc.json()), (text) => {
        const parsed = parseExperiment(text, 'x.json');
        expect(parsed.ok || parsed.problems.length > 0).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it('never throw, whatever stands at a key', () => {
    const keys = [
      'network',
      'scaling',
      'data',
      'step',
      'sweep',
      'draws',
      'seed',
      'record',
      'title',
      '__proto__',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        const text = `{${JSON.stringify(key)}: ${JSON.stringify(value)}, ${TEXT.slice(1)}`;
        expect(parseExperiment(text, 'x.json')).toHaveProperty('ok');
        expect(parseExperiment(TEXT, 'x.json', [`${key}=${JSON.stringify(value)}`])).toHaveProperty('ok');
      }),
      {
        numRuns: RUNS,
        // An object with a length, where a text or a list is expected.
        examples: ['title', 'record', 'scaling', 'sweep'].flatMap((key): [string, fc.JsonValue][] => [
          [key, { length: {} }],
          [key, { depth: { length: {} }, quantities: { length: { valueOf: 1 } }, name: { length: [] } }],
        ]),
      },
    );
  });
});

describe('an override', () => {
  it('is JSON, or else a string', () => {
    const experiment = experimentOf(
      TEXT,
      'network.width=50',
      'sweep.depth=[10, 20]',
      'scaling=FSC',
      'network.branchScale=1/sqrt(L)',
      'record.quantities[1]=loss',
    );
    expect(experiment.axes).toMatchObject({
      width: [50],
      depth: [10, 20],
      branchScale: ['1/sqrt(L)'],
      scaling: [{ name: 'FSC', sigmaOutput: 'sqrt(k*L)/m' }],
    });
    expect(experiment.record.quantities).toEqual(['bfa_rad', 'loss']);
  });

  it('can mend a file', () => {
    expect(complaints(TEXT.replace('10', '2'), 'network.depth=3')).toEqual([]);
  });

  it.each([
    ['network.width=0', '--set network.width: expected an integer >= 1, got 0'],
    [
      'sweep.depth=[10, 2]',
      `--set sweep.depth[1]: expected an integer >= 3, got 2; L counts the embedding and the readout`,
    ],
    ['network.widht=3', '--set network.widht: unknown path; did you mean "network.width"?'],
    ['depth=3', '--set depth: unknown path; did you mean "network.depth"?'],
    ['branch_scale=1', '--set branch_scale: unknown path; did you mean "network.branchScale"?'],
    [
      'network.colour=1',
      '--set network.colour: unknown path; known are model, parameters, batchNorm, architecture, activation, depth, width, inputWidth, outputWidth, hiddenWidth, branchScale',
    ],
    ['netwrk.width=1', '--set netwrk.width: unknown path; did you mean "network.width"?'],
    ['swep.depth=[3]', '--set swep.depth: unknown path; did you mean "sweep.depth"?'],
    [
      'a b=1',
      '--set "a b": unknown path; known are $schema, title, figure, network, scaling, loss, data, step, sweep, commonRandomNumbers, draws, seed, record, slopes, optima',
    ],
    [
      '__proto__.x=1',
      '--set __proto__.x: unknown path; known are $schema, title, figure, network, scaling, loss, data, step, sweep, commonRandomNumbers, draws, seed, record, slopes, optima',
    ],
    ['network.width', '--set: expected path=value, got "network.width"; such as network.width=50'],
    ['scaling.sigmaOutput=2', '--set scaling.sigmaOutput: expected an object at scaling, got "MF+muP"'],
    [
      'record.quantities[3]=loss',
      '--set record.quantities[3]: expected an index up to 1 in record.quantities, got 3',
    ],
    ['sweep.depth[0]=5', '--set sweep.depth[0]: expected a list at sweep.depth, got nothing'],
  ])('%s is refused with its reason', (override, message) => {
    expect(complaints(TEXT, override)).toEqual([message]);
  });

  it('never throws, whatever it says', () => {
    const path = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'network.width',
        'sweep.depth',
        'sweep.scaling[0].name',
        'data.target',
        'record',
        '__proto__',
      ),
    );
    const override = fc
      .tuple(path, fc.oneof(fc.string(), fc.json()))
      .map(([key, value]) => `${key}=${value}`);
    fc.assert(
      fc.property(fc.array(override, { maxLength: 3 }), (overrides) => {
        expect(parseExperiment(TEXT, 'x.json', overrides)).toHaveProperty('ok');
      }),
      { numRuns: RUNS },
    );
    expect(complaints(TEXT, `${'a.'.repeat(50_000)}b=1`)).toHaveLength(1);
    expect(complaints(TEXT, `sweep=${'['.repeat(100_000)}`)).toHaveLength(1);
  });

  it('of what a sweep decides is refused, for it would do nothing', () => {
    expect(complaints(TEXT, 'sweep.depth=[10, 20]', 'network.depth=7')).toEqual([
      '--set network.depth: expected no sweep of it, got sweep.depth, which decides; set sweep.depth',
    ]);
  });
});
