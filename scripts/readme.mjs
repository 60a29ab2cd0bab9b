// Writes every number of the READMEs: what stands between `<!-- begin NAME -->` and `<!-- end NAME -->` is made here, from
// the tables, the verdicts, the bench, the glossary and the schema.
//
//     node scripts/readme.mjs                   after results were measured anew; npm run build first
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { linearRegression, mean } from 'simple-statistics';
import { AXIS_NAMES, entryOf } from '../dist/config/axes.js';
import { QUANTITIES } from '../dist/quantities.js';
import { rowsOf } from '../dist/report/agreement.js';
import { FIGURES, seriesPresent } from '../dist/report/figures.js';
import { decimalsOf } from '../dist/report/numbers.js';
import { fromCsv } from '../dist/results/table.js';
import { costText, entryText, transferOf } from './transfer.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path) => readFileSync(at(path), 'utf8');
const json = (path) => JSON.parse(read(path));

const READMES = ['README.md', 'configs/README.md', 'results/README.md', 'src/README.md'];

const brief = (value, digits = 3) => String(Number(value.toPrecision(digits)));
const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');

/** Asked for by several blocks, and computed for the first. */
function once(compute) {
  const known = new Map();
  return (name) => {
    if (!known.has(name)) known.set(name, compute(name));
    return known.get(name);
  };
}

const rowsIn = once((name) => rowsOf(fromCsv(read(`results/${name}/table.csv`))));
const transferIn = once((name) => transferOf(at(`results/${name}`)));
const manifestOf = (name) => json(`results/${name}/manifest.json`);
const workOf = (name) => `${(manifestOf(name).elapsed_ms / 1000).toFixed(1)} s`;

function groupBy(rows, key) {
  const groups = new Map();
  for (const row of rows) {
    const own = groups.get(key(row));
    if (own) own.push(row);
    else groups.set(key(row), [row]);
  }
  return groups;
}

/** Slope of log y against log x. */
const slope = (points) => linearRegression(points.map((point) => point.map(Math.log))).m;

function bench() {
  const { figures, cores, processor, node } = json('results/bench.json');
  return `The five figures with their charts took **${brief(figures.seconds, 2)} s** on ${cores} cores (${processor}, Node ${node}; \`npm run bench\`).`;
}

/** What the ways to be fast bring, how time grows with the width, and what steps of training take. */
function speed() {
  const {
    dense_against_matrix_free: ways,
    time_against_width: { 'matrix-free': free, dense },
    sampler_ns: sampler,
    training_steps: training,
  } = json('results/bench.json');
  const times = Object.entries(ways).map(([at, { ratio }]) => `${brief(ratio, 2)} times as long at ${at}`);
  const [long, large] = Object.values(training);
  const [where] = Object.keys(training).slice(-1);
  return [
    `Measured (\`npm run bench\`): dense weights take ${times.join('; ')}. Time grows with the width to the power`,
    `${brief(free.slope)} where they are never formed, and ${brief(dense.slope)} where they are. A normal number takes ${brief(Math.min(...Object.values(sampler)), 2)} ns.`,
    `A step of training costs ${brief(long.ratio_10000_to_100_steps, 2)} times as much in 10,000 as in 100, gains ${brief(long.mb_gained_from_step_100_to_10000, 2)} MB of memory in all, and is at ${where}`,
    `${brief(100 * large.share_of_the_speed_of_products, 2)} % as fast as the matrix products of the backend alone.`,
  ].join('\n');
}

function verdicts() {
  const { claims } = json('results/claims.json');
  const failing = claims.filter(({ verdict }) => verdict !== 'holds');
  return [
    `Of ${claims.length} statements of the paper **${claims.length - failing.length} hold and ${failing.length} do not**: `,
    `${failing.map(({ id }) => `\`${id}\``).join(', ')}. [results/README.md](results/README.md) has each with its numbers.`,
  ].join('');
}

/** The check that a verdict hangs on: the first that fails, or the first. */
const decisive = (checks) => checks.find(({ holds }) => !holds) ?? checks[0];

function claims() {
  const rows = json('results/claims.json').claims.map(({ id, title, where, verdict, checks }) => {
    const { what, measured, low, high, expected } = decisive(checks);
    const interval = low === null ? '' : ` [${brief(low)}, ${brief(high)}]`;
    const holding = checks.filter(({ holds }) => holds).length;
    const count = checks.length > 1 ? `, ${holding} of ${checks.length} checks` : '';
    const said = `${what}: ${brief(measured)}${interval}, expected ${expected}`;
    return [`\`${id}\``, `${title} (${where})`, said, `${verdict}${count}`];
  });
  return table(['claim', 'says (where)', 'measured, with 95 % interval', 'verdict'], rows);
}

/** Lines of the comparison of a figure with the paper. */
function agreementOf(figure) {
  const rows = rowsIn(figure.name);
  return figure.agreement(rows, seriesPresent(figure, rows));
}

function numbersOf({ measured, theory, published }) {
  const decimals = measured.standardError === null ? 3 : Math.max(2, decimalsOf(measured.standardError));
  const error = measured.standardError === null ? '' : ` +- ${measured.standardError.toFixed(decimals)}`;
  return [
    published ?? '',
    `${measured.value.toFixed(decimals)}${error}`,
    theory === null ? '' : theory.toFixed(decimals),
  ];
}

function figures() {
  const rows = FIGURES.map((figure) => {
    const said = agreementOf(figure).filter(({ published }) => published !== null);
    const values = said.map((row) => numbersOf(row)[1].replace(/ \+-.*/, '')).join(', ');
    return [
      figure.number,
      figure.title,
      `\`feature-speed run ${figure.name}\``,
      workOf(figure.name),
      `${said.map(({ published }) => published).join(', ')} / ${values}`,
    ];
  });
  return table(['figure', 'shows', 'command', 'work', 'published / here'], rows);
}

function agreement() {
  return FIGURES.map((figure) => {
    const rows = agreementOf(figure).map((row) => [row.label, ...numbersOf(row)]);
    const shown = table(['curve', 'published', 'here, with standard error', 'infinite width'], rows);
    return `**Figure ${figure.number}.** ${figure.comparison}\n\n${shown}`;
  }).join('\n\n');
}

/** What each experiment beyond the figures has found, in its own numbers. */
const FINDINGS = {
  'width-limit': (rows) => {
    const exponents = [...groupBy(rows, ({ branch_scale }) => branch_scale)].map(([beta, own]) => {
      const points = [...groupBy(own, ({ width }) => width)].map(([width, draws]) => [
        width,
        Math.sqrt(mean(draws.map((row) => (row.bfa_rad - row.bfa_theory_rad) ** 2))),
      ]);
      return `m^(${slope(points).toFixed(2)}) at beta = ${brief(beta)}`;
    });
    return `the distance from theory falls as ${exponents.join(' and ')}; the law is m^(-1/2)`;
  },
  conjecture: (rows) => {
    const off = [...groupBy(rows, ({ branch_scale }) => branch_scale)].map(([beta, draws]) => ({
      c: Math.sqrt(draws[0].depth) * beta,
      by: Math.abs(mean(draws.map((row) => Math.cos(row.bfa_rad) / Math.cos(row.bfa_theory_rad))) - 1),
    }));
    const within = (most) =>
      brief(100 * Math.max(...off.filter(({ c }) => c <= most).map(({ by }) => by)), 2);
    return `cos phi(c) within ${within(2)} % of theory up to c = 2 and ${within(6)} % up to c = 6; beyond, L/m = 0.1 shows`;
  },
  'depth-law': (rows) => {
    const far = rows.filter(({ layer, bfa_rad }) => layer > 10 && bfa_rad !== null);
    const of = (column) => slope(far.map((row) => [row.layer - 1, Math.cos(row[column])])).toFixed(4);
    return `cos theta_v falls as N^(${of('bfa_rad')}), N = v - 1 >= 10; in theory as N^(${of('bfa_theory_rad')})`;
  },
  'width-check': slopesFound,
  'depth-check': slopesFound,
  'zoo-depth': (_, name) => {
    const nets = ['transformer', 'residual MLP', 'conv ResNet', 'MLP-Mixer'];
    const slopes = parse(read(`results/${name}/slopes.csv`), { columns: true });
    const found = [...groupBy(slopes, (row) => row.branch_scale)].map(([scale, own]) => {
      const kept = [...groupBy(own, (row) => row.quantity)].map(([quantity, rows]) => {
        const others = rows
          .filter(({ verdict }) => verdict !== 'holds')
          .map(
            ({ network, slope, verdict }) => `${nets[network - 1]} L^(${brief(Number(slope), 2)}) ${verdict}`,
          );
        const count = rows.length - others.length;
        return `${quantity === 'bfa_rad' ? 'angle' : quantity} kept by ${count} of ${rows.length}${others.length > 0 ? ` (${others.join(', ')})` : ''}`;
      });
      return `${scale}: ${kept.join(', ')}`;
    });
    return `branches times ${found.join('; ')}`;
  },
  'zoo-training': (_, name) => {
    const slopes = parse(read(`results/${name}/slopes.csv`), { columns: true });
    const found = [...groupBy(optimaIn(name), (row) => row.branch_scale)].map(([scale, own]) => {
      const { slope, low, high } = slopes.find((row) => row.branch_scale === scale);
      const at = own.map(({ depth, optimum }) => `${brief(optimum, 2)} (L = ${depth})`);
      const exponent = slope === '' ? 'an end of the sweep' : `exponent ${brief(Number(slope), 2)}`;
      const interval = low === '' ? '' : ` in ${brief(Number(low), 2)} .. ${brief(Number(high), 2)}`;
      return `branches times ${scale}: ${at.join(', ')}, ${exponent}${interval}`;
    });
    return `best eta: ${found.join('; ')}`;
  },
  'gpt-variance': (rows) => {
    const grown = (part) => {
      const own = rows.filter(({ layer_name: name }) => new RegExp(`^attention\\d+/${part}$`).test(name));
      const ratios = [...groupBy(own, ({ layer_name: name }) => name)].map(
        ([, of]) => of.at(-1).weight_variance / of[0].weight_variance,
      );
      return `${part} ${ratios.map((ratio) => ratio.toFixed(3)).join(', ')}`;
    };
    return `variances after 90 steps over initial ones, by block: ${['query', 'key', 'value'].map(grown).join('; ')}`;
  },
  'transfer-depth': transferFound,
  'transfer-width': transferFound,
  'transfer-length': transferFound,
  training: (rows) => {
    const last = Math.max(...rows.map(({ step_number }) => step_number));
    const own = groupBy(
      rows.filter(({ step_number, architecture }) => step_number === last && architecture === 'resnet'),
      ({ scaling }) => scaling,
    );
    const found = [...own].map(
      ([scaling, draws]) =>
        `${scaling} ${brief(100 * mean(draws.map(({ accuracy_held_out }) => accuracy_held_out)), 3)} %`,
    );
    return `held-out accuracy of the resnets after ${last} steps: ${found.join(', ')}; ${edgeFound(rows)}`;
  },
  'init-std': initFound,
  'init-std-wine': initFound,
  'growing-widths': (rows, name) => {
    const slopes = parse(read(`results/${name}/slopes.csv`), { columns: true });
    const exponents = (quantity, scaling) =>
      slopes
        .filter((row) => row.quantity === quantity && row.scaling === scaling)
        .map(({ width, slope }) => `${brief(Number(slope), 2)} (${width})`)
        .join(', ');
    const [one, falling] = [...new Set(rows.map(({ scaling }) => scaling))];
    return (
      `exponents in L, by width: of the features ${exponents('feature_rms', one)}; of the feature speed at ${one} ` +
      `${exponents('feature_speed_rms', one)}, at ${falling} ${exponents('feature_speed_rms', falling)}`
    );
  },
  'kaiming-xavier': (rows) => {
    const first = rows.filter(({ step_number, feature_rms }) => step_number === 1 && feature_rms !== null);
    const found = [...groupBy(first, ({ scaling }) => scaling)].map(([scaling, own]) => {
      const deepest = Math.max(...own.map(({ depth }) => depth));
      const sizes = own.filter(({ depth }) => depth === deepest).map(({ feature_rms }) => feature_rms);
      return `${brief(mean(sizes), 2)} with ${scaling}`;
    });
    return `features at the deepest, before the first step: ${found.join(', ')}`;
  },
  'auto-check': (rows) => {
    const by = [...groupBy(rows, ({ scaling }) => scaling)].map(([scaling, own]) => {
      const decay = [
        ...groupBy(own, ({ architecture, activation, depth, width }) =>
          [architecture, activation, depth, width].join(),
        ).values(),
      ];
      const means = decay.map((draws) => mean(draws.map(({ loss_change }) => -loss_change)));
      return `of ${scaling} by a factor ${brief(Math.max(...means) / Math.min(...means))}`;
    });
    return `over all networks the loss decay varies ${by.join(', ')}`;
  },
};

const optimaIn = (name) =>
  parse(read(`results/${name}/optima.csv`), { columns: true }).map((row) => ({
    ...row,
    optimum: Number(row.optimum),
    to_step: Number(row.to_step),
  }));

/** Where the best step sizes lie, and what one for all costs. */
function transferFound(_, name) {
  const lines = transferIn(name)
    .filter(({ scaling }) => scaling.startsWith('FSC'))
    .map((entry) => `${entry.architecture}, ${entry.scaling}: ${entryText(entry)}`);
  return `the best eta, and the one that serves all settings best with the loss that it costs at worst (\\* at an end of the sweep): ${lines.join('; ')}; other scalings in optima.csv`;
}

const RULES = ['Polyak', 'Eq. 8', 'tables x 8'];

/** What rules of rates ask of the step size when depth, width and the length of training change, of networks with the scales of FSC. */
const askedBy = (architecture, rates) =>
  ['transfer-depth', 'transfer-width', 'transfer-length'].map((name) =>
    transferIn(name).find(
      (entry) => entry.architecture === architecture && entry.scaling === `FSC, ${rates}`,
    ),
  );

function transfer() {
  const rows = ['resnet', 'mlp'].flatMap((architecture) =>
    RULES.map((rates) => [
      architecture === 'mlp' ? 'MLP' : 'ResNet',
      rates,
      ...askedBy(architecture, rates).map(entryText),
    ]),
  );
  return table(['networks', 'rates', 'depth 4 .. 64', 'width 64 .. 512', '30 .. 1,000 steps'], rows);
}

/** The step size to take without a search, and what a single one costs by the other rules. */
function advice() {
  const [polyak, ...others] = RULES.map((rates) => askedBy('resnet', rates));
  const { size } = polyak[0];
  const inWords = (costs) => {
    const [depth, width, length] = costs.map(costText);
    return `${depth} over depths, ${width} over widths and ${length} over lengths`;
  };
  const [balanced, tables] = others.map((own) => inWords(own.map(({ cost }) => cost)));
  return [
    `**For ResNets take dt = ${brief(size)} with the layerwise step size of Polyak, and no search**: it costs at most ${inWords(polyak.map(({ costs }) => costs.get(size)))}`,
    `of training, against the best dt of each. The best single dt for a column costs ${balanced} with the rates of`,
    `Eq. 8, and ${tables} with those of the tables.`,
  ].join('\n');
}

/** How near the edge of stability, 2, the steps of the resnets come: the largest of the geometric means over draws, by rates. */
function edgeFound(rows) {
  const own = rows.filter(
    ({ architecture, step_sharpness }) => architecture === 'resnet' && step_sharpness !== null,
  );
  const found = [...groupBy(own, ({ scaling }) => scaling)].map(([scaling, curve]) => {
    const means = [...groupBy(curve, ({ step_number }) => step_number)].map(([t, draws]) => ({
      t,
      value: Math.exp(mean(draws.map(({ step_sharpness }) => Math.log(step_sharpness)))),
    }));
    const most = means.reduce((a, b) => (b.value > a.value ? b : a));
    return `${scaling} ${brief(most.value, 2)} at step ${most.t}`;
  });
  return `step size x sharpness at its most, where 2 is the edge of stability: ${found.join(', ')}`;
}

/** The best initial scale, in units of the critical one. */
function initFound(_, name) {
  const found = optimaIn(name).map(
    ({ depth, width, optimum }) => `${brief(optimum * Math.sqrt(width / 2), 2)} (L = ${depth}, m = ${width})`,
  );
  return `the best std over sqrt(2/m): ${found.join(', ')}`;
}

function slopesFound(_, name) {
  const counts = groupBy(
    parse(read(`results/${name}/slopes.csv`), { columns: true }),
    ({ verdict }) => verdict,
  );
  return `of its slopes ${[...counts].map(([verdict, rows]) => `${rows.length} \`${verdict}\``).join(', ')}`;
}

function experiments() {
  const names = Object.keys(FINDINGS).filter((name) => existsSync(at(`results/${name}/table.csv`)));
  const rows = names.map((name) => {
    const { title, counts } = manifestOf(name);
    return [
      `[${name}](../configs/${name}.json)`,
      title,
      counts.cells,
      workOf(name),
      FINDINGS[name](rowsIn(name), name),
    ];
  });
  return table(['experiment', 'shows', 'cells', 'work', 'found'], rows);
}

function quantities() {
  const rows = Object.entries(QUANTITIES).map(([name, each]) => [
    `\`${name}\``,
    each.symbol,
    each.unit,
    each.meaning,
    each.equation,
  ]);
  return table(['column', 'symbol', 'unit', 'meaning', 'equation'], rows);
}

/** The keys of an experiment file, as the schema describes them. */
function keys() {
  const rows = [];
  const visit = (schema, path) => {
    for (const [key, value] of Object.entries(schema.properties ?? {})) {
      if (key === '$schema') continue;
      const name = path === '' ? key : `${path}.${key}`;
      rows.push([
        `\`${name}\``,
        value.description ?? '',
        (value.enum ?? []).map((word) => `\`${word}\``).join(' '),
      ]);
      visit(value, name);
    }
  };
  visit(json('configs/schema.json'), '');
  return table(['key', 'meaning', 'values'], rows);
}

/** What a sweep runs over. */
function axes() {
  const code = (text) => `\`${text}\``;
  const rows = AXIS_NAMES.map((axis) => {
    const { path, column, formulaColumn, symbol, sweepHelp } = entryOf(axis);
    const columns = [column, formulaColumn].filter(Boolean).map(code).join(', ');
    return [code(axis), code(path.join('.')), columns, symbol ? code(symbol) : '', sweepHelp];
  });
  return table(['key of `sweep`', 'fixed by', 'column', 'in expressions', 'values'], rows);
}

const BLOCKS = {
  advice,
  bench,
  speed,
  verdicts,
  transfer,
  figures,
  agreement,
  claims,
  experiments,
  quantities,
  keys,
  axes,
};

/** The READMEs as they should be, by path. */
export function readmes() {
  const texts = READMES.map((path) => {
    const text = read(path).replace(
      /(<!-- begin (\S+) -->\n)[\s\S]*?(<!-- end \2 -->)/g,
      (_, begin, name, end) => {
        const block = BLOCKS[name];
        if (!block) throw new Error(`${path}: no block is called ${name}`);
        return `${begin}${block()}\n${end}`;
      },
    );
    return [path, text];
  });
  return new Map(texts);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of readmes()) writeFileSync(at(path), text);
}
