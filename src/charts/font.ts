import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { inflateSync } from 'node:zlib';

/** The bundled font: what the PNG is drawn with, and how wide its characters are. */
export interface ChartFont {
  /** TrueType files, upright and italic. */
  readonly files: readonly Uint8Array[];
  /** Advance width of each character that the font has, by code point, in units of the font size. */
  readonly advances: ReadonlyMap<number, number>;
}

let loaded: Promise<ChartFont> | undefined;

/** DejaVu Sans, read once per process; rejects if the font package is not installed or not readable. */
export function loadFont(): Promise<ChartFont> {
  loaded ??= readFont();
  return loaded;
}

async function readFont(): Promise<ChartFont> {
  const require = createRequire(import.meta.url);
  // The package calls its files "latin" but they hold the whole font: Greek, superscripts, mathematical signs.
  const read = (style: string): Promise<Uint8Array> =>
    readFile(require.resolve(`@fontsource/dejavu-sans/files/dejavu-sans-latin-400-${style}.woff`));
  const [upright, italic] = (await Promise.all([read('normal'), read('italic')])).map(readTables);
  return { files: [trueType(upright!), trueType(italic!)], advances: readAdvances(upright!) };
}

/**
 * Width of one line of text in chart units: the sum of the advances, without kerning.
 *
 * The italic of DejaVu Sans has the advances of the upright. A character that the font lacks counts as one font size.
 */
export function textWidth(font: ChartFont, text: string, fontSize: number): number {
  let width = 0;
  for (const character of text) width += font.advances.get(character.codePointAt(0)!) ?? 1;
  return width * fontSize;
}

/** One table of a font file. */
interface FontTable {
  readonly tag: string;
  readonly checksum: number;
  readonly data: Uint8Array;
}

/**
 * Advance width by code point, in units of the font size (OpenType `cmap`, `hmtx`).
 *
 * @throws Error if a table is missing.
 */
function readAdvances(tables: readonly FontTable[]): ReadonlyMap<number, number> {
  const view = (tag: string): DataView => {
    const data = tables.find((table) => table.tag === tag)?.data;
    if (data === undefined) throw new Error(`the chart font has no table "${tag}"`);
    return new DataView(data.buffer, data.byteOffset, data.byteLength);
  };
  const unitsPerEm = view('head').getUint16(18);
  const lastMetric = view('hhea').getUint16(34) - 1;
  const metrics = view('hmtx');
  const advances = new Map<number, number>();
  for (const [codePoint, glyph] of readGlyphs(view('cmap'))) {
    advances.set(codePoint, metrics.getUint16(4 * Math.min(glyph, lastMetric)) / unitsPerEm);
  }
  return advances;
}

/**
 * The tables of a WOFF 1.0 file; a directory entry is tag, offset, stored length, original length, checksum.
 *
 * @throws Error if the bytes are no such file.
 */
function readTables(woff: Uint8Array): readonly FontTable[] {
  const file = new DataView(woff.buffer, woff.byteOffset, woff.byteLength);
  if (file.getUint32(0) !== 0x774f4646) throw new Error('the chart font is not a WOFF file');
  return Array.from({ length: file.getUint16(12) }, (_, i) => {
    const at = 44 + 20 * i;
    const offset = file.getUint32(at + 4);
    const stored = woff.subarray(offset, offset + file.getUint32(at + 8));
    return {
      tag: String.fromCharCode(...woff.subarray(at, at + 4)),
      checksum: file.getUint32(at + 16),
      data: stored.length < file.getUint32(at + 12) ? inflateSync(stored) : stored,
    };
  });
}

/**
 * The tables as a TrueType file, each at a multiple of four bytes.
 *
 * The rasteriser unpacks a WOFF2 file for every picture, 35 ms each; it takes this one as it is.
 */
function trueType(tables: readonly FontTable[]): Uint8Array {
  const padded = (length: number): number => 4 * Math.ceil(length / 4);
  let at = 12 + 16 * tables.length;
  const bytes = new Uint8Array(tables.reduce((sum, { data }) => sum + padded(data.length), at));
  const file = new DataView(bytes.buffer);
  file.setUint32(0, 0x00010000);
  file.setUint16(4, tables.length);
  // What of a binary search is known beforehand: 16 times the largest power of two among the tables.
  const power = Math.floor(Math.log2(tables.length));
  file.setUint16(6, 16 * 2 ** power);
  file.setUint16(8, power);
  file.setUint16(10, 16 * (tables.length - 2 ** power));
  for (const [i, { tag, checksum, data }] of tables.entries()) {
    const entry = 12 + 16 * i;
    bytes.set(Buffer.from(tag, 'latin1'), entry);
    [checksum, at, data.length].forEach((value, j) => {
      file.setUint32(entry + 4 * (j + 1), value);
    });
    bytes.set(data, at);
    at += padded(data.length);
  }
  return bytes;
}

/** Pairs of code point and glyph number: `cmap` format 12, which holds groups of consecutive ones of all planes. */
function* readGlyphs(cmap: DataView): Generator<readonly [number, number]> {
  for (let i = 0; i < cmap.getUint16(2); i++) {
    const at = cmap.getUint32(8 + 8 * i);
    if (cmap.getUint16(at) !== 12) continue;
    for (let group = at + 16; group < at + 16 + 12 * cmap.getUint32(at + 12); group += 12) {
      const start = cmap.getUint32(group);
      const end = cmap.getUint32(group + 4);
      for (let c = start; c <= end; c++) yield [c, cmap.getUint32(group + 8) + c - start];
    }
    return;
  }
}
