/**
 * The page in a real browser, opened from disk with the network off.
 *
 * Without Chromium, or without what drives it, which `npm run tools` installs, there is nothing to open it with:
 * FEATURE_SPEED_BROWSER=required makes that a failure.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readVerdicts } from '../claims/record.js';
import { readManifest } from '../results/manifest.js';
import { readTable } from '../results/table.js';
import { FIGURE_NAMES, type FigureResults, renderReport } from './report.js';

/** How long a loaded machine may take for anything; no test is about time. */
const PATIENCE_MS = 240_000;

const chromium = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)))
  .find((path) => existsSync(path));
const tools = createRequire(new URL('../../scripts/tools/package.json', import.meta.url));
const missing = [
  ...(chromium === undefined ? ['no Chromium in PATH; apt-get install chromium'] : []),
  ...(existsSync(new URL('../../scripts/tools/node_modules', import.meta.url))
    ? []
    : ['no puppeteer-core; npm run tools']),
];
const isRequired = process.env.FEATURE_SPEED_BROWSER === 'required';
const isOpened = missing.length === 0 || isRequired;
if (!isOpened) console.log(`the report is not opened in a browser: ${missing.join('; ')}`);

const SIZES = [
  { width: 1280, height: 900 },
  { width: 360, height: 740 },
] as const;

let folder: string;
let browser: Browser;

beforeAll(async () => {
  if (!isOpened) return;
  if (missing.length > 0) throw new Error(missing.join('; '));
  folder = mkdtempSync(join(tmpdir(), 'feature-speed-report-'));
  const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url));
  const figures = Object.fromEntries(
    FIGURE_NAMES.map((name): [string, FigureResults] => [
      name,
      {
        table: readTable(file(`results/${name}/table.csv`)),
        manifest: readManifest(file(`results/${name}/manifest.json`)),
        spec: JSON.parse(file(`configs/${name}.vl.json`).toString()),
      },
    ]),
  );
  const claims = readVerdicts(file('results/claims.json').toString());
  writeFileSync(join(folder, 'report.html'), await renderReport({ figures, claims }));
  const { launch } = tools('puppeteer-core') as typeof import('puppeteer-core');
  browser = await launch({
    executablePath: chromium!,
    // Containers have neither the privileges of a sandbox nor much shared memory; the page is our own.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    timeout: PATIENCE_MS,
    protocolTimeout: PATIENCE_MS,
  });
}, PATIENCE_MS);

afterAll(async () => {
  await browser?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true });
}, PATIENCE_MS);

interface Opened {
  readonly page: Page;
  /** What the console was told, errors that nobody caught, and requests for anything but the page. */
  readonly complaints: readonly string[];
}

const colours = (page: Page, scheme: 'light' | 'dark') =>
  page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: scheme },
    // Nothing scrolls on by itself while the pointer is placed.
    { name: 'prefers-reduced-motion', value: 'reduce' },
  ]);

async function open(size: (typeof SIZES)[number]): Promise<Opened> {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (!request.isNavigationRequest()) complaints.push(`request: ${request.url()}`);
  });
  await page.setViewport(size);
  await colours(page, 'light');
  await page.setOfflineMode(true);
  await page.goto(pathToFileURL(join(folder, 'report.html')).href, { waitUntil: 'load' });
  await page.waitForSelector('html[data-charts=drawn]');
  return { page, complaints };
}

const marks = (name: string) => `#${name} .canvas svg .role-mark`;

/** Marks of one chart that have the colour of one curve. */
const countOf = (page: Page, name: string, colour: string): Promise<number> =>
  page.$$eval(
    `${marks(name)} path, ${marks(name)} line`,
    (paths, property) => paths.filter((path) => path.outerHTML.includes(`var(--${property})`)).length,
    colour,
  );

/** Waits until marks of a colour are there, or are not. */
const waitFor = (page: Page, name: string, colour: string, areThere: boolean) =>
  page.waitForFunction(
    (selector, property, expected) =>
      [...document.querySelectorAll(selector)].some((mark) =>
        mark.innerHTML.includes(`var(--${property})`),
      ) === expected,
    { polling: 100 },
    marks(name),
    colour,
    areThere,
  );

describe.runIf(isOpened).each(SIZES)('the page at $width x $height', (size) => {
  test(
    'draws every chart inside its width, asks for nothing and has nothing to complain of',
    async () => {
      const { page, complaints } = await open(size);
      for (const name of FIGURE_NAMES) {
        expect(await page.$$eval(`${marks(name)} path`, (paths) => paths.length), name).toBeGreaterThan(10);
        expect(
          await page.$eval(`#${name} .canvas`, (box) => {
            const chart = box.querySelector('svg')!.getBoundingClientRect();
            return chart.width - box.getBoundingClientRect().width;
          }),
          name,
        ).toBeLessThan(1);
      }
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(size.width);
      expect(complaints).toEqual([]);
      await page.close();
    },
    PATIENCE_MS,
  );

  test(
    'switches a curve by its legend, with a click and with the keyboard, and theory by its box',
    async () => {
      const { page, complaints } = await open(size);
      const button = await page.waitForSelector('#figure-2a button[aria-label="FSC"]');
      const [fsc, ntk] = [
        await countOf(page, 'figure-2a', 'green'),
        await countOf(page, 'figure-2a', 'blue'),
      ];
      expect(fsc).toBeGreaterThan(10);
      await button!.click();
      await waitFor(page, 'figure-2a', 'green', false);
      expect(await button!.evaluate((each) => each.ariaPressed)).toBe('false');
      expect(await countOf(page, 'figure-2a', 'blue')).toBe(ntk);
      await button!.focus();
      await page.keyboard.press('Enter');
      await waitFor(page, 'figure-2a', 'green', true);
      expect(await countOf(page, 'figure-2a', 'green')).toBe(fsc);

      const theory = await page.waitForSelector('#figure-2a input[data-signal="show_theory"]');
      await waitFor(page, 'figure-2a', 'theory', true);
      await theory!.click();
      await waitFor(page, 'figure-2a', 'theory', false);
      await theory!.focus();
      await page.keyboard.press('Space');
      await waitFor(page, 'figure-2a', 'theory', true);
      expect(complaints).toEqual([]);
      await page.close();
    },
    PATIENCE_MS,
  );

  test(
    'tells of the cell that the pointer is on',
    async () => {
      const { page, complaints } = await open(size);
      await page.$eval('#figure-2b .canvas', (box) =>
        box.scrollIntoView({ behavior: 'instant', block: 'center' }),
      );
      const at = await page.$eval(`${marks('figure-2b')} path`, (mark) => {
        const { x, y, width, height } = mark.getBoundingClientRect();
        return { x: x + width / 2, y: y + height / 2 };
      });
      await page.mouse.move(at.x, at.y);
      await page.waitForSelector('#tooltip:not([hidden])');
      expect(await page.$eval('#tooltip', (tooltip) => tooltip.textContent)).toMatch(/depth/i);
      await page.mouse.move(0, 0);
      await page.waitForSelector('#tooltip[hidden]');
      expect(complaints).toEqual([]);
      await page.close();
    },
    PATIENCE_MS,
  );

  test(
    'breaks no rule of accessibility that axe knows, light and dark',
    async () => {
      const { page } = await open(size);
      await page.$$eval('details', (all) => {
        for (const each of all) each.open = true;
      });
      const axe = tools('axe-core') as typeof import('axe-core');
      await page.evaluate(axe.source);
      for (const scheme of ['light', 'dark'] as const) {
        await colours(page, scheme);
        const broken = await page.evaluate(async () => {
          const { axe: rules } = globalThis as unknown as { readonly axe: typeof import('axe-core') };
          // Formulas are MathML, which this rule takes for nothing and screen readers read.
          const { violations } = await rules.run({ rules: { 'empty-table-header': { enabled: false } } });
          return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
        });
        expect(broken, scheme).toEqual([]);
      }
      await page.close();
    },
    PATIENCE_MS,
  );
});

describe.runIf(isOpened)('the page', () => {
  test(
    'follows the sizes that are typed in, and says what is wrong with one',
    async () => {
      const { page, complaints } = await open(SIZES[0]);
      const sigma = () => page.$eval('[data-formula="1/sqrt(d)"]', (cell) => cell.textContent);
      const type = (value: string) =>
        page.$eval(
          '#sizes input[name="d"]',
          (input, typed) => {
            input.value = typed;
            input.dispatchEvent(new Event('input', { bubbles: true }));
          },
          value,
        );
      await type('100');
      expect(await sigma()).toBe('0.1');
      await type('0');
      expect(await sigma()).toBe('—');
      expect(await page.$eval('#sizes output', (output) => output.textContent)).toMatch(/^d: /);
      expect(complaints).toEqual([]);
      await page.close();
    },
    PATIENCE_MS,
  );

  test(
    'is light or dark as the system is, or as is chosen',
    async () => {
      const { page } = await open(SIZES[0]);
      const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const light = await paper();
      await colours(page, 'dark');
      expect(await paper()).not.toBe(light);
      await page.click('input[name="theme"][value="light"]');
      expect(await paper()).toBe(light);
      await page.close();
    },
    PATIENCE_MS,
  );
});
