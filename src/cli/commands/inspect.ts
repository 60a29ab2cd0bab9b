/** `inspect`: a network of the user's own, layer by layer. */
import { extname } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {
  drawModelData,
  type Inspection,
  type InspectOptions,
  inspectCapture,
  inspectModel,
  ModelError,
  type ModelLoss,
} from '../../model/index.js';
import { openModelBackend } from '../../run/models/model-backend.js';
import { loadModel } from '../../run/models/model-file.js';
import { decodeSafetensors } from '../../store/data/safetensors.js';
import { readJson, readWith } from '../../store/files.js';
import { UserError } from '../../store/user-error.js';
import { writeFile } from '../../store/write-file.js';
import type { Effects } from '../effects.js';
import { EXIT } from '../exit-code.js';
import { readModelData } from '../inspect/model-data.js';
import { inspectionCsv, inspectionText, type Subject } from '../inspect/report.js';

export interface InspectCommand {
  readonly capture?: string | undefined;
  readonly depth?: number | undefined;
  readonly width?: number | undefined;
  /** `name=value` each. */
  readonly param: readonly string[];
  readonly data: readonly string[];
  readonly target: readonly string[];
  readonly samples?: number | undefined;
  readonly inputShape?: readonly number[] | undefined;
  readonly loss: ModelLoss;
  /** `equal`, `scale-invariant` or a file. */
  readonly rates: string;
  readonly outputMultiplier?: number | undefined;
  readonly batchNorm: 'inference' | 'batch';
  readonly backend: 'auto' | 'wasm' | 'cpu';
  readonly seed: number;
  readonly json?: boolean | undefined;
  readonly csv?: boolean | undefined;
  readonly chart?: string | undefined;
}

/** A residual of Thm 2.1 beyond this is none of rounding. */
const BROKEN = 1e-3;

/**
 * Inspects a model, or what another program has captured of one.
 *
 * @returns the exit code: 3 where the feature speed formula is broken at a cut.
 * @throws UserError
 */
export async function inspect(
  path: string | undefined,
  command: InspectCommand,
  effects: Effects,
): Promise<number> {
  const format = command.chart === undefined ? undefined : chartFormat(command.chart);
  try {
    const { subject, inspection } =
      command.capture === undefined ? await ofModel(path!, command) : ofCapture(command.capture);
    print(subject, inspection, command, effects);
    if (format) await draw(subject, inspection, command.chart!, format, effects);
    const isUpdate = subject.setting.kind === 'update';
    return !isUpdate && (inspection.advice.speed_formula_residual ?? 0) > BROKEN
      ? EXIT.incomplete
      : EXIT.fine;
  } catch (error) {
    throw error instanceof ModelError
      ? new UserError(placed(command.capture ?? path!, error.message))
      : error;
  }
}

const placed = (path: string, message: string): string =>
  message
    .split('\n')
    .map((line) => `${path}: ${line}`)
    .join('\n');

interface Subjects {
  readonly subject: Subject;
  readonly inspection: Inspection;
}

function ofCapture(path: string): Subjects {
  const capture = readWith(path, decodeSafetensors);
  const { kind, step_size: step } = capture.metadata;
  const setting = { kind: kind ?? '', ...(kind === 'update' && { step_size: Number(step) }) };
  return { subject: { name: path, setting }, inspection: inspectCapture(capture) };
}

async function ofModel(path: string, command: InspectCommand): Promise<Subjects> {
  const { depth, width, seed, loss, batchNorm } = command;
  const borrowed = await openModelBackend(command.backend === 'auto' ? 'wasm' : command.backend);
  const parameters = parametersOf(command.param);
  const { model, notes } = await loadModel(path, { depth, width, parameters, seed });
  const given = readModelData(model, { ...command, samples: command.samples });
  const data = drawModelData(model, {
    seed,
    loss,
    samples: given.inputs?.[0]?.shape[0] ?? command.samples ?? 1,
    inputShape: command.inputShape,
    ...given,
  });
  const options: InspectOptions = {
    loss,
    batchNorm,
    rates: ratesOf(command.rates),
    ...(command.outputMultiplier !== undefined && { outputMultiplier: command.outputMultiplier }),
  };
  const inspection = inspectModel(model, data, options);
  const lent = [...borrowed];
  const setting = {
    ...(depth !== undefined && { depth }),
    ...(width !== undefined && { width }),
    ...(parameters as Record<string, string | number>),
    samples: data.inputs[0]!.shape[0]!,
    input: given.inputs
      ? command.data.join(', ')
      : data.inputs.some(({ dtype }) => dtype === 'int32')
        ? 'uniform tokens'
        : 'Gaussian',
    target: given.targets
      ? command.target.join(', ')
      : loss === 'cross-entropy'
        ? 'uniform classes'
        : 'Gaussian',
    loss,
    rates: command.rates,
    output_multiplier: command.outputMultiplier ?? 1,
    seed,
    backend: `${tf.getBackend()}${lent.length > 0 ? `, with ${lent.join(', ')} of cpu` : ''}`,
  };
  return {
    subject: { name: path, setting },
    inspection: { ...inspection, notes: [...notes, ...inspection.notes] },
  };
}

/** Numbers, true and false are values, all else is text. */
function parametersOf(texts: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value] = /^\s*([\p{L}_$][\p{L}\p{N}_$]*)\s*=(.*)$/su.exec(text) ?? [];
      if (name === undefined || value === undefined) {
        throw new UserError(`--param ${text}: expected name=value, such as branchScale=0.5`);
      }
      const number = value.trim() === '' ? Number.NaN : Number(value);
      return [
        name,
        Number.isNaN(number)
          ? (({ true: true, false: false } as Record<string, unknown>)[value] ?? value)
          : number,
      ];
    }),
  );
}

/** Rates as named, or of a file: an object of them by name, or what `--json` printed, whose advice is taken. */
function ratesOf(text: string): NonNullable<InspectOptions['rates']> {
  if (text === 'equal' || text === 'scale-invariant') return text;
  const json = readJson(text) as { readonly advice?: { readonly learning_rates?: unknown } } | null;
  const rates = json?.advice?.learning_rates ?? json;
  const isRates =
    typeof rates === 'object' &&
    rates !== null &&
    Object.values(rates).every((rate) => typeof rate === 'number' && rate >= 0);
  if (!isRates) {
    throw new UserError(
      `${text}: expected rates >= 0 by the name of the layer, {"name": 0.1, ...}, or the output of feature-speed inspect --json`,
    );
  }
  return rates as Record<string, number>;
}

function print(
  { name, setting }: Subject,
  inspection: Inspection,
  command: InspectCommand,
  { write, terminal }: Effects,
): void {
  if (command.json) {
    write(`${JSON.stringify({ model: name, setting, ...inspection }, null, 2)}\n`);
  } else if (command.csv) write(inspectionCsv(inspection));
  else write(inspectionText({ name, setting }, inspection, terminal));
}

const FORMATS = ['svg', 'png', 'html'] as const;

function chartFormat(path: string): (typeof FORMATS)[number] {
  const format = FORMATS.find((each) => extname(path) === `.${each}`);
  if (!format) throw new UserError(`--chart ${path}: expected a file name that ends in .svg, .png or .html`);
  return format;
}

async function draw(
  { name }: Subject,
  inspection: Inspection,
  path: string,
  format: (typeof FORMATS)[number],
  { drawChart, tell }: Effects,
): Promise<void> {
  const { inspectionChart } = await import('../inspect/chart.js');
  const options = {
    title: name,
    onWarning: (message: string) => tell(`--chart ${path}: ${message}`),
  };
  const chart = await drawChart(inspectionChart(name), inspectionCsv(inspection), options).catch(
    (error: Error) => {
      throw new UserError(`--chart ${path}: ${error.message}`);
    },
  );
  if (format === 'png' && chart.pngProblem !== undefined)
    throw new UserError(`--chart ${path}: ${chart.pngProblem}`);
  writeFile(path, chart[format]);
}
