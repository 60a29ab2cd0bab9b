/** SVG -> PNG, with the bundled font. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChartFont, loadFont } from './font.js';

const require = createRequire(import.meta.url);

/** Dots per chart unit. */
const SCALE = 2;

/** Dots of a picture: so many take 0.9 GB, four bytes each and as much again for the PNG; four times as many, all that WebAssembly has. */
const MOST_DOTS = 1e8;

/** What is to be said of a picture that is too large for a PNG; undefined for others. */
export function tooLarge(svg: string): string | undefined {
  const [, width = '0', height = '0'] = /^<svg[^>]* width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  const [across, down] = [SCALE * Number(width), SCALE * Number(height)];
  if (across * down <= MOST_DOTS) return undefined;
  return (
    `the picture of ${Math.ceil(across)} x ${Math.ceil(down)} dots is too large for a PNG; ` +
    'draw fewer or smaller views, or use the SVG'
  );
}

/** Draws an SVG as a PNG of two dots per chart unit. */
type Rasteriser = (svg: string) => Uint8Array;

let native: Promise<Rasteriser | undefined> | undefined;
let wasm: Promise<Rasteriser> | undefined;

/** The one that this machine has. */
export async function loadRasteriser(): Promise<Rasteriser> {
  native ??= loadNative().catch(() => undefined);
  return (await native) ?? loadWasm();
}

/** A PNG of two dots per chart unit; or what is to be said where the rasteriser fails, and with it its thread. */
export async function rasterise(svg: string): Promise<Uint8Array | string> {
  const draw = await loadRasteriser();
  try {
    return draw(svg);
  } catch {
    // Machine code wants a place for its fonts at each picture, and a disk may be full by now; the other needs none.
  }
  try {
    return (await loadWasm())(svg);
  } catch (error) {
    return `the rasteriser fails at the picture (${(error as Error).message}); use the SVG`;
  }
}

const OPTIONS = { fitTo: { mode: 'zoom', value: SCALE } } as const;
const FONT = { defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' };

/**
 * The rasteriser as WebAssembly, which runs everywhere; it can be initialised once per thread only. Half of the time that five
 * charts take is its: a thousand functions are compiled to be called a few times.
 */
export function loadWasm(): Promise<Rasteriser> {
  wasm ??= initialiseWasm();
  return wasm;
}

async function initialiseWasm(): Promise<Rasteriser> {
  const [resvg, binary, font] = await Promise.all([
    import('@resvg/resvg-wasm'),
    readFile(require.resolve('@resvg/resvg-wasm/index_bg.wasm')),
    loadFont(),
  ]);
  await resvg.initWasm(binary);
  return (svg) => {
    const options = { ...OPTIONS, font: { ...FONT, fontBuffers: [...font.files] } };
    const picture = new resvg.Resvg(svg, options);
    const image = picture.render();
    try {
      return image.asPng();
    } finally {
      image.free();
      picture.free();
    }
  };
}

/**
 * The same version of the same rasteriser as machine code, where it is installed: the same bytes.
 *
 * @throws Error where it is not, or does not load, or there is no place for its fonts.
 */
export async function loadNative(): Promise<Rasteriser> {
  const { Resvg } = require('@resvg/resvg-js') as typeof import('@resvg/resvg-js');
  const font = await loadFont();
  withFiles(font, () => {});
  return (svg) =>
    withFiles(font, (fontFiles) => {
      const options = { ...OPTIONS, font: { ...FONT, loadSystemFonts: false, fontFiles: [...fontFiles] } };
      return new Resvg(svg, options).render().asPng();
    });
}

/** Fonts as files, which are no more when the picture is drawn: the native rasteriser takes no bytes. */
function withFiles<T>({ files }: ChartFont, use: (paths: readonly string[]) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'feature-speed-fonts-'));
  try {
    return use(
      files.map((bytes, i) => {
        const path = join(folder, `${i}.ttf`);
        writeFileSync(path, bytes);
        return path;
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
