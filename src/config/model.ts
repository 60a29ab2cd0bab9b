/** The network of a user's own in an experiment file: `network.model`. */

/** Arguments of a module besides depth, width and branch scale. */
type Arguments = Readonly<Record<string, number | string | boolean>>;

/** A file that makes a model, or has one. */
export interface ModelFile {
  /** As the experiment file names it, from where that lies. */
  readonly file: string;
  /** Where it was found, from which folder it is named, and the SHA-256 of what it says; undefined where nobody looked. */
  readonly found?: { readonly path: string; readonly folder: string; readonly digest: string };
}

/** Looks for a file that an experiment names; a text says why it is none. */
export type FindModel = (file: string, kind?: 'model' | 'text') => ModelFile | string;

/** A model of an experiment. */
export interface Model extends ModelFile {
  readonly parameters: Arguments;
  /** A text that it learns. */
  readonly text?: ModelFile | undefined;
  /** Whether batch normalisation is over the samples of a step, or by its moving averages. */
  readonly batchNorm: 'inference' | 'batch';
  /** Parameters of the sweep that formulas of the file use, so that the module need not. */
  readonly ofFormulas: readonly string[];
  /** What its networks hold, by what is asked of the module, where they were made before the run. */
  readonly sizes?: ReadonlyMap<string, ModelSize>;
}

/** What decides the cost of a model. */
export interface ModelSize {
  /** Entries of all weights. */
  readonly weights: number;
  /** Calls of layers, and entries of all their outputs for one sample. */
  readonly calls: number;
  readonly features: number;
  /** Products of numbers in a forward pass of one sample. */
  readonly products: number;
}

/** The model that a file names, of which nothing is known; undefined for a built-in network. */
export function modelOf(content: unknown): string | undefined {
  const { network } = (content ?? {}) as { readonly network?: { readonly model?: unknown } | null };
  const model = network?.model;
  return typeof model === 'string' && model !== '' ? model : undefined;
}
