/** SVG -> PNG, with the bundled font. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { loadFont } from './font.js';

/** Dots per chart unit. */
const SCALE = 2;

/** Dots of a picture: so many take 0.9 GB, four bytes each and as much again for the PNG; four times as many, all that WebAssembly has. */
const MOST_DOTS = 1e8;

let ready: Promise<typeof import('@resvg/resvg-wasm')> | undefined;

/** The rasteriser, which can be initialised once per thread only. */
function loadResvg(): Promise<typeof import('@resvg/resvg-wasm')> {
  ready ??= (async () => {
    const wasm = createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm');
    const resvg = await import('@resvg/resvg-wasm');
    await resvg.initWasm(await readFile(wasm));
    return resvg;
  })();
  return ready;
}

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

/** A PNG of two dots per chart unit; or what is to be said where the rasteriser fails, and with it its thread. */
export async function rasterise(svg: string): Promise<Uint8Array | string> {
  const { Resvg } = await loadResvg();
  const font = await loadFont();
  const fontOptions = {
    fontBuffers: [...font.files],
    defaultFontFamily: 'DejaVu Sans',
    sansSerifFamily: 'DejaVu Sans',
  };
  try {
    const picture = new Resvg(svg, { fitTo: { mode: 'zoom', value: SCALE }, font: fontOptions });
    const image = picture.render();
    try {
      return image.asPng();
    } finally {
      image.free();
      picture.free();
    }
  } catch (error) {
    return `the rasteriser fails at the picture (${(error as Error).message}); use the SVG`;
  }
}
