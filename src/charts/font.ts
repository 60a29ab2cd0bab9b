import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { inflateSync } from 'node:zlib';

/** The bundled font: what the PNG is drawn with, and how wide its characters are. */
export interface ChartFont {
  /** woff2 files, upright and italic, as the rasteriser reads them. */
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
  const read = (name: string): Promise<Uint8Array> =>
    readFile(require.resolve(`@fontsource/dejavu-sans/files/dejavu-sans-latin-400-${name}`));
  // The package calls its files "latin" but they hold the whole font: Greek, superscripts, mathematical signs.
  // The rasteriser reads woff2 only; the same font as woff is the one whose tables can be taken singly.
  const [upright, italic, woff] = await Promise.all([
    read('normal.woff2'),
    read('italic.woff2'),
    read('normal.woff'),
  ]);
  return { files: [upright, italic], advances: readAdvances(woff) };
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

/**
 * Advance width by code point, in units of the font size, out of a WOFF 1.0 file (W3C WOFF, OpenType `cmap`, `hmtx`).
 *
 * Throws if the bytes are not such a file.
 */
function readAdvances(woff: Uint8Array): ReadonlyMap<number, number> {
  const tables = readTables(woff);
  const unitsPerEm = tables('head').getUint16(18);
  const lastMetric = tables('hhea').getUint16(34) - 1;
  const metrics = tables('hmtx');
  const advances = new Map<number, number>();
  for (const [codePoint, glyph] of readGlyphs(tables('cmap'))) {
    advances.set(codePoint, metrics.getUint16(4 * Math.min(glyph, lastMetric)) / unitsPerEm);
  }
  return advances;
}

/** The tables of a WOFF 1.0 file by tag; a directory entry is tag, offset, stored length, original length, checksum. */
function readTables(woff: Uint8Array): (tag: string) => DataView {
  const file = new DataView(woff.buffer, woff.byteOffset, woff.byteLength);
  if (file.getUint32(0) !== 0x774f4646) throw new Error('the chart font is not a WOFF file');
  const entries = new Map<string, number>();
  for (let i = 0; i < file.getUint16(12); i++) {
    const at = 44 + 20 * i;
    entries.set(String.fromCharCode(...woff.subarray(at, at + 4)), at);
  }
  return (tag) => {
    const at = entries.get(tag);
    if (at === undefined) throw new Error(`the chart font has no table "${tag}"`);
    const offset = file.getUint32(at + 4);
    const stored = woff.subarray(offset, offset + file.getUint32(at + 8));
    const table = stored.length < file.getUint32(at + 12) ? inflateSync(stored) : stored;
    return new DataView(table.buffer, table.byteOffset, table.byteLength);
  };
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
