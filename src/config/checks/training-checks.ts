/** What the keys of data of one's own and of a training must fulfil together. */
import { isTheory } from '../../quantities.js';
import { compileExpression, stepSizeNames } from '../expression.js';
import type { ExperimentFile } from '../file/experiment.js';
import { DRIFT_AXES } from '../file/fits.js';
import { expected, type Issue, type Path } from '../file/problem.js';
import { type Experiment, recordedSteps } from '../resolve.js';
import type { Check } from './check.js';
import { pointsOf } from './points.js';
import { hasManyWidths } from './width-checks.js';

const one = (path: Path, what: string, value: unknown, advice = ''): readonly Issue[] => [
  { path, message: expected(what, value, advice) },
];

const isLaw = (target: unknown) => typeof target === 'object' && target !== null && 'law' in target;

/** What is asked of the keys of `data` beside each other, whatever is in the file. */
function findMisplaced({ data = {} }: ExperimentFile): readonly Issue[] {
  const { file, target, input, heldOut } = data;
  const isOfFile = file !== undefined;
  return [
    ...(isOfFile && (target === undefined || isLaw(target))
      ? one(['data', 'target'], 'the name of a column beside data.file', target, 'its column is y')
      : []),
    ...(!isOfFile && target !== undefined && !isLaw(target)
      ? one(['data', 'target'], '{"law"} of y', target, 'a column is of data.file')
      : []),
    ...(isOfFile && input?.law !== undefined
      ? one(['data', 'input', 'law'], 'no law beside data.file', input.law, 'its rows are x; remove one')
      : []),
    ...(!isOfFile && input !== undefined && input.law === undefined
      ? one(['data', 'input', 'law'], '"normal" or "one-hot"', input.law)
      : []),
    ...(!isOfFile && input?.columns !== undefined
      ? one(['data', 'input', 'columns'], 'data.file beside it', undefined, 'drawn data have a law')
      : []),
    ...(heldOut !== undefined && heldOut > 1 && !Number.isInteger(heldOut)
      ? one(['data', 'heldOut'], 'an integer from 1 on, or a share below 1', heldOut)
      : []),
    ...(heldOut !== undefined && heldOut < 1 && heldOut > 0 && !isOfFile
      ? one(['data', 'heldOut'], 'a number of samples', heldOut, 'a share is one of the rows of data.file')
      : []),
  ];
}

/** Widths, samples and batches that the data do not have. */
function findMissingSamples(
  { axes, data, dataSet, model }: Experiment,
  file: ExperimentFile,
): readonly Issue[] {
  const { heldOut = 0, batch } = data;
  // Of a model its shapes tell, when it is made.
  const widths = (model ? [] : (['inputWidth', 'outputWidth'] as const)).flatMap((axis) => {
    const other = dataSet && axes[axis].find((width) => width !== dataSet[axis]);
    if (other === undefined) return [];
    const path: Path = file.sweep?.[axis] === undefined ? ['network', axis] : ['sweep', axis];
    return one(path, `${dataSet![axis]} as data.file has it, or nothing`, other, 'remove it');
  });
  const rows = dataSet ? dataSet.rows - heldOut : Infinity;
  const most = axes.samples.reduce((largest, n) => Math.max(largest, n), 0);
  const fewest = axes.samples.reduce((least, n) => Math.min(least, n), Infinity);
  const isSwept = file.sweep?.samples !== undefined;
  const samplesPath: Path = isSwept ? ['sweep', 'samples'] : ['data', 'samples'];
  const among = heldOut > 0 ? ` of ${dataSet?.rows} rows, ${heldOut} being held out` : ' rows of data.file';
  return [
    ...widths,
    ...(rows < 1
      ? one(['data', 'heldOut'], `fewer than the ${dataSet?.rows} rows of data.file`, heldOut)
      : []),
    ...(rows >= 1 && most > rows ? one(samplesPath, `at most ${rows}${among}`, most) : []),
    ...(batch !== undefined && batch > fewest
      ? one(['data', 'batch'], `at most the ${fewest} samples that are learnt from`, batch)
      : []),
  ];
}

/** Whether every target is a class: those of a model are, where it has a cross-entropy or a text to learn. */
function hasClasses({ data, axes, model }: Experiment): boolean {
  if (!model) return data.target.law === 'one-hot' && !axes.outputWidth.includes(1);
  const isUsual = data.target.law === 'normal' && !data.file;
  const ofLoss = axes.loss.every((loss) => loss === 'cross-entropy');
  return data.target.law === 'one-hot' || model.text !== undefined || (isUsual && ofLoss);
}

/** Recorded quantities that the data and the steps do not have. */
function findMissingQuantities(experiment: Experiment, file: ExperimentFile): readonly Issue[] {
  const { data, record, step } = experiment;
  const { steps } = record;
  const late = steps?.find((number) => number > step.count);
  const written = Array.isArray(file.record.steps) ? file.record.steps.findIndex((t) => t > step.count) : -1;
  return [
    ...(late === undefined
      ? []
      : one(
          ['record', 'steps', ...(written >= 0 ? [written] : file.record.steps ? ['to'] : [])],
          `at most step.count = ${step.count}`,
          late,
        )),
    ...file.record.quantities.flatMap((name, index) => {
      const refuse = (what: string, value: unknown, advice: string) =>
        one(['record', 'quantities', index], `${what} for ${name}`, value, advice);
      if (isTheory(name) && data.file) {
        return refuse('drawn data', 'data.file', 'the limit is of Gaussian or unit-norm samples of a law');
      }
      if (name.endsWith('_held_out') && data.heldOut === undefined) {
        return refuse('data.heldOut', undefined, 'no sample is held out');
      }
      if (name.startsWith('accuracy') && !hasClasses(experiment)) {
        return refuse('classes as targets', data.target.law, 'others are never right or wrong');
      }
      if (name === 'feature_displacement_rms' && data.batch !== undefined) {
        return refuse('no data.batch', data.batch, 'features of other samples have come from elsewhere');
      }
      return [];
    }),
  ];
}

/** A loss that may be negative has no step size of Polyak. */
function findPolyakWithoutBound({ axes: { loss, scaling } }: Experiment): readonly Issue[] {
  const polyak = scaling.find(({ learningRate }) => learningRate === 'polyak');
  if (!polyak || !loss.includes('linear')) return [];
  return one(
    ['loss'],
    '"squared" or "cross-entropy" for the rates "polyak"',
    'linear',
    'its infimum has to be 0',
  );
}

/** Step sizes with one first value have one name in tables. */
function findStepSizesWrittenTwice(experiment: Experiment, file: ExperimentFile): readonly Issue[] {
  const written = file.sweep?.stepSize;
  if (!Array.isArray(written)) return [];
  const names = stepSizeNames(Object.keys(experiment.parameters));
  const read = experiment.axes.stepSize.map((source) => compileExpression(source, names));
  if (!read.some((each) => each.names.includes('t'))) return [];
  const used = read.flatMap((each) => each.names).filter((name) => name !== 't');
  const seen = new Map<string, number>();
  return read.flatMap(({ evaluate, source }, index) => {
    const values = pointsOf(experiment, used)
      .map((point) => evaluate({ ...point, t: 1, T: experiment.step.count }))
      .join();
    const first = seen.get(values) ?? index;
    seen.set(values, first);
    if (first === index) return [];
    const advice =
      'tables tell step sizes by that of the first step; take a parameter of the sweep, which is a column';
    return one(
      ['sweep', 'stepSize', index],
      `another first step size than sweep.stepSize[${first}]`,
      source,
      advice,
    );
  });
}

/** Optima along what is swept, of what is recorded. */
function findMisplacedOptima(experiment: Experiment): readonly Issue[] {
  const { axes, parameters, record, optima = [], step, draws } = experiment;
  return optima.flatMap(({ quantity, along, lengths, drift }, index) => {
    const refuse = (path: Path, what: string, value: unknown, advice: string) =>
      one(['optima', index, ...path], what, value, advice);
    const swept = [...Object.keys(parameters), ...(axes.stepSize.length > 1 ? ['stepSize'] : [])];
    const values = along === 'stepSize' ? axes.stepSize : (parameters[along] ?? []);
    const lacksNumber = values.find((value) => typeof value !== 'number' || value <= 0);
    const isRecorded = ({ from, to }: (typeof lengths)[number]) =>
      recordedSteps(experiment).some((t) => t >= from && t <= to);
    const isAlone = lengths.length === 1;
    const ends = lengths.map(({ to }) => to);
    return [
      ...(record.quantities.includes(quantity)
        ? []
        : refuse(['quantity'], 'one of record.quantities', quantity, 'add it there')),
      ...(swept.includes(along)
        ? values.length < 3
          ? refuse(
              ['along'],
              'three values or more',
              values.length,
              'an optimum has a neighbour on either side',
            )
          : []
        : refuse(
            ['along'],
            'stepSize or a parameter of the sweep',
            along,
            `swept are ${swept.join(', ') || 'none'}`,
          )),
      ...(swept.includes(along) && lacksNumber !== undefined
        ? refuse(['along'], 'numbers > 0', lacksNumber, 'the optimum is sought on a logarithmic scale')
        : []),
      ...lengths.flatMap((own, i) =>
        isRecorded(own)
          ? []
          : refuse(
              isAlone ? ['steps'] : ['steps', i],
              'steps that are recorded',
              own.from === own.to && !isAlone ? own.to : own,
              `of ${step.count} steps see record.steps`,
            ),
      ),
      ...(new Set(ends).size === ends.length
        ? []
        : refuse(['steps'], 'lengths that end at different steps', ends, 'tables tell them by their last')),
      ...(draws >= 2 ? [] : refuse([], 'draws >= 2', draws, 'the interval is over draws')),
      ...DRIFT_AXES.flatMap((axis) => {
        if (drift[axis] === undefined) return [];
        if (axis === 'width' && hasManyWidths(experiment)) {
          return refuse(['drift', axis], 'no width', axis, 'networks with a formula in l have no one width');
        }
        const count = axis === 'steps' ? lengths.length : axes[axis].length;
        if (count >= 2) return [];
        const advice = axis === 'steps' ? `give optima[${index}].steps as a list` : `give sweep.${axis}`;
        return refuse(['drift', axis], 'an axis of two values or more', axis, advice);
      }),
    ];
  });
}

export const TRAINING_CHECKS: readonly Check[] = [
  { reads: ['data'], find: (_, file) => findMisplaced(file) },
  { reads: ['network', 'data', 'sweep'], find: findMissingSamples },
  { reads: ['network', 'data', 'loss', 'step', 'sweep', 'record'], find: findMissingQuantities },
  { reads: ['scaling', 'loss', 'sweep'], find: findPolyakWithoutBound },
  { reads: ['network', 'step', 'sweep', 'draws', 'record', 'optima'], find: findMisplacedOptima },
  { reads: ['network', 'data', 'step', 'sweep'], find: findStepSizesWrittenTwice },
];
