/**
 * The file of a measured batch: what a checkpoint holds, exact to the last bit and checked when it is read.
 *
 *     64 hexadecimal digits   SHA-256 of all that follows the line feed
 *     one line of JSON        of what (origin), how long it took, and which cells, layers and quantities
 *     float64                 for each cell, for each of its quantities, a number for each layer; NaN where there is none
 */
import { createHash } from 'node:crypto';
import type { QuantityName } from '../quantities.js';

/** Where a cell breaks an identity that holds exactly, and by how much; see `core/proof.ts`. */
export interface Inexact {
  readonly step: number;
  readonly layer: number;
  readonly identity: string;
  readonly deviation: number;
  readonly bound: number;
}

/** A measurement with the quantities that the experiment records; NaN where one does not exist. */
export interface RecordedCell {
  /** Layers v that are recorded, rising; all of the first step, then all of the second. */
  readonly layers: readonly number[];
  /** First layer where features, backward pass or change left the range of float32. */
  readonly divergedAt: number | undefined;
  /** An identity that the cell breaks: then it is not a result. */
  readonly inexact: Inexact | undefined;
  /** Names of these layers, of a network that has such. */
  readonly names?: readonly string[] | undefined;
  /** By quantity, a number for each of the layers. */
  readonly values: Readonly<Partial<Record<QuantityName, Float64Array>>>;
}

/** What decides the bits of a measurement: cells of two origins never share a table. */
export interface Origin {
  /** `digestOf` the experiment. */
  readonly digest: string;
  readonly backend: string;
}

export interface CellFile {
  readonly origin: Origin;
  readonly elapsedMs: number;
  readonly cells: readonly (readonly [key: string, measured: RecordedCell])[];
}

/** The line of JSON. */
interface Header extends Origin {
  readonly elapsedMs: number;
  readonly cells: readonly CellHeader[];
}

interface CellHeader {
  readonly key: string;
  readonly layers: readonly number[];
  readonly names?: readonly string[] | undefined;
  readonly divergedAt?: number | undefined;
  readonly inexact?: Inexact | undefined;
  readonly quantities: readonly QuantityName[];
}

const LINE_FEED = 0x0a;

export function encodeCells({ origin, elapsedMs, cells }: CellFile): Buffer {
  const header: Header = {
    ...origin,
    elapsedMs,
    cells: cells.map(([key, { layers, names, divergedAt, inexact, values }]) => ({
      key,
      layers,
      names,
      divergedAt,
      inexact,
      quantities: Object.keys(values) as QuantityName[],
    })),
  };
  const columns = cells.flatMap(([, { values }]) => Object.values(values));
  const body = Buffer.concat([
    Buffer.from(`${JSON.stringify(header)}\n`),
    ...columns.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  ]);
  return Buffer.concat([Buffer.from(`${sha256(body)}\n`), body]);
}

/** @throws Error for anything that `encodeCells` did not write, down to a single bit. */
export function decodeCells(bytes: Buffer): CellFile {
  const start = bytes.indexOf(LINE_FEED) + 1;
  const body = bytes.subarray(start);
  if (start === 0 || bytes.toString('latin1', 0, start - 1) !== sha256(body)) {
    throw new Error('the checksum does not fit');
  }
  const end = body.indexOf(LINE_FEED);
  const { digest, backend, elapsedMs, cells } = JSON.parse(body.toString('utf8', 0, end)) as Header;
  // Copied, because a Float64Array starts at a multiple of 8.
  const numbers = new Float64Array(new Uint8Array(body.subarray(end + 1)).buffer);
  let offset = 0;
  return {
    origin: { digest, backend },
    elapsedMs,
    cells: cells.map(({ key, layers, names, divergedAt, inexact, quantities }) => {
      const start = offset;
      offset += quantities.length * layers.length;
      const column = (i: number) => numbers.slice(start + i * layers.length, start + (i + 1) * layers.length);
      const values = Object.fromEntries(quantities.map((name, i) => [name, column(i)]));
      return [key, { layers, ...(names && { names }), divergedAt, inexact, values }];
    }),
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
