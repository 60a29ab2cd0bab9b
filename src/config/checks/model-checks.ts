/** What an experiment with a network of the user's own must fulfil, and what only such a one has. */
import { isTheory, MODEL_QUANTITIES, quantityEntry } from '../../quantities.js';
import { AXES, AXIS_NAMES, entryOf } from '../axes.js';
import type { ExperimentFile } from '../file/experiment.js';
import { placeOf, scalingEntries } from '../file/places.js';
import { expected, type Issue } from '../file/problem.js';
import { GIVEN_TO_MODULES } from '../parameters.js';
import type { Experiment } from '../resolve.js';

export function findModelIssues(experiment: Experiment, file: ExperimentFile): readonly Issue[] {
  return experiment.model ? issuesOfModel(experiment, file) : issuesOfBuiltIn(file);
}

/** What built-in networks are without. */
function issuesOfBuiltIn({ network, record, data }: ExperimentFile): Issue[] {
  return [
    ...(data?.text === undefined
      ? []
      : [
          {
            path: ['data', 'text'],
            message: expected('network.model beside it', undefined, 'built-in networks take no tokens'),
          },
        ]),
    ...(network.parameters === undefined
      ? []
      : [
          {
            path: ['network', 'parameters'],
            message: expected('network.model beside it', undefined, 'they are arguments of its module'),
          },
        ]),
    ...record.quantities.flatMap((name, index) =>
      quantityEntry(name).isOfModels
        ? [
            {
              path: ['record', 'quantities', index],
              message: expected(
                `network.model for ${name}`,
                undefined,
                'built-in networks do not measure it',
              ),
            },
          ]
        : [],
    ),
  ];
}

function issuesOfModel(
  { record: { layers }, axes: { loss: losses }, data: { target } }: Experiment,
  file: ExperimentFile,
): Issue[] {
  const { network, data, record, slopes, optima, sweep } = file;
  return [
    ...AXIS_NAMES.flatMap((axis): Issue[] => {
      const { notOfModels, path } = entryOf(axis);
      const given =
        sweep?.[axis] ??
        path.reduce<unknown>((at, key) => (at as Readonly<Record<string, unknown>> | undefined)?.[key], file);
      // What a model does anyway may be said.
      if (notOfModels === undefined || given === undefined || (axis === 'train' && given === 'all'))
        return [];
      return [
        {
          path: placeOf(axis, file),
          message: expected(`no ${axis} beside network.model`, given, notOfModels),
        },
      ];
    }),
    ...(data?.text === undefined ? [] : (['file', 'input', 'target', 'batch'] as const)).flatMap((key) =>
      data?.[key] === undefined
        ? []
        : [
            {
              path: ['data', key],
              message: expected(
                `no data.${key} beside data.text`,
                data[key],
                'samples are windows of the text, as many as data.samples, drawn anew at every step',
              ),
            },
          ],
    ),
    ...targetIssues(file, losses, target.law),
    ...Object.keys(network.parameters ?? {}).flatMap((name) => {
      const axis = AXIS_NAMES.find((each) => each === name && AXES[each].path[0] === 'network');
      const isOwn = axis !== undefined && entryOf(axis).notOfModels === undefined;
      if (!isOwn && !GIVEN_TO_MODULES.includes(name)) return [];
      const advice = isOwn ? `give it as network.${name}` : 'the module is given it';
      return [{ path: ['network', 'parameters', name], message: expected('another name', name, advice) }];
    }),
    ...scalingIssues(file),
    ...record.quantities.flatMap((name, index) => {
      if (name === 'feature_displacement_rms' && data?.text !== undefined) {
        const what = 'no feature_displacement_rms beside data.text';
        const message = expected(
          what,
          name,
          'windows are drawn anew at every step, and features are of others',
        );
        return [{ path: ['record', 'quantities', index], message }];
      }
      if (MODEL_QUANTITIES.some((own) => own === name)) return [];
      const advice = `${isTheory(name) ? 'there is no theory of it' : 'it is of built-in networks'}; models have ${MODEL_QUANTITIES.join(', ')}`;
      return [
        {
          path: ['record', 'quantities', index],
          message: expected('a quantity that is measured of a model', name, advice),
        },
      ];
    }),
    ...((slopes || optima) && layers === 'all'
      ? [
          {
            path: ['record', 'layers'],
            message: expected(
              `"output" for ${slopes ? 'slopes' : 'optima'} of a model`,
              layers,
              'they are of its last features',
            ),
          },
        ]
      : []),
  ];
}

/** A model has initial scales of its own, and layers that no scaling knows: what is left are the rates. */
function scalingIssues(file: ExperimentFile): Issue[] {
  return scalingEntries(file).flatMap(({ path, entry }): Issue[] => {
    if (entry === 'auto') return [];
    if (typeof entry === 'string') {
      const what = '"auto", or {"name", "learningRate"}, of a model';
      return [
        {
          path,
          message: expected(what, entry, 'its initial scales are those of the module; default is Eq. 8'),
        },
      ];
    }
    const { name: _, learningRate: __, ...scales } = entry;
    return [
      ...Object.entries(scales)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => ({
          path: [...path, key],
          message: expected(`no ${key} of a model`, value, 'its initial scales are those of the module'),
        })),
    ];
  });
}

/** A cross-entropy is of classes: of a model they are drawn for it where nothing is said. */
function targetIssues({ data }: ExperimentFile, losses: readonly string[], law: string): Issue[] {
  if (!losses.includes('cross-entropy') || data?.target === undefined || law === 'one-hot') return [];
  const isOfFile = data.file !== undefined;
  const what = isOfFile ? 'a column of classes for the cross-entropy' : '"one-hot" for the cross-entropy';
  const path = isOfFile ? ['data', 'target'] : ['data', 'target', 'law'];
  return [{ path, message: expected(what, isOfFile ? data.target : law, 'y is a class') }];
}
