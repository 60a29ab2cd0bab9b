import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadNative, loadWasm, rasterise } from './rasterise.js';

const RESULTS = 'results';
const charts = readdirSync(RESULTS)
  .map((name) => join(RESULTS, name, 'chart.svg'))
  .filter((path) => existsSync(path) && (process.env.FEATURE_SPEED_SLOW || /figure-[12]b/.test(path)));
const native = await loadNative().catch(() => undefined);

const wasm = native && (await loadWasm());

test.skipIf(!native)('machine code draws the bytes that WebAssembly draws', () => {
  expect(charts.length).toBeGreaterThan(1);
  for (const path of charts) {
    const svg = readFileSync(path, 'utf8');
    expect(Buffer.compare(native!(svg), wasm!(svg)), path).toBe(0);
  }
});

test.skipIf(!native)('gradients, dashes, clips and what is half transparent too', () => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="80" viewBox="0 0 120 80">
    <defs>
      <linearGradient id="line"><stop offset="0" stop-color="#204"/><stop offset="0.3" stop-color="#2a8"/><stop offset="1" stop-color="#fe2"/></linearGradient>
      <radialGradient id="disc"><stop offset="0" stop-color="white"/><stop offset="1" stop-color="#a00"/></radialGradient>
      <clipPath id="frame"><rect x="5" y="5" width="90" height="60"/></clipPath>
    </defs>
    <g clip-path="url(#frame)" opacity="0.7">
      <rect width="120" height="40" fill="url(#line)"/>
      <circle cx="60.3" cy="45.7" r="31" fill="url(#disc)" fill-opacity="0.5"/>
      <path d="M0,70C20,10,40,10,120,3" fill="none" stroke="#333" stroke-width="2.5" stroke-dasharray="6,2,1,2"/>
    </g>
    <text x="10" y="75" font-family="DejaVu Sans" font-size="9" font-style="italic" transform="rotate(-4)">√L ≥ θβ</text>
  </svg>`;
  expect(Buffer.compare(native!(svg), wasm!(svg))).toBe(0);
});

test.skipIf(!native)('where there is no place for the fonts of machine code, WebAssembly draws', async () => {
  const svg = readFileSync(charts[0]!, 'utf8');
  expect(await rasterise(svg)).toBeInstanceOf(Uint8Array);
  const folder = process.env.TMPDIR;
  process.env.TMPDIR = join(RESULTS, 'no such folder');
  try {
    expect(() => native!(svg)).toThrow();
    expect(Buffer.compare((await rasterise(svg)) as Uint8Array, wasm!(svg))).toBe(0);
  } finally {
    if (folder === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = folder;
  }
});
