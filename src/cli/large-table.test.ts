import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REQUIRED_COLUMNS } from '../config/columns.js';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'feature-speed-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const QUANTITIES = [
  'bfa_rad',
  'bfa_theory_rad',
  'sensitivity',
  'feature_rms',
  'backward_rms',
  'contribution',
];

/** Networks of 200 layers each, and the memory that comparing and drawing them may take. */
const [DRAWS, MEGABYTES] = process.env.FEATURE_SPEED_SLOW ? [500, 500] : [125, 300];

/** Rows as of figure-1a; `planted` is added to one angle. */
function writeTable(path: string, planted: number): void {
  const columns = REQUIRED_COLUMNS.flatMap((name) =>
    name === 'branch_scale' ? [name, 'branch_scale_formula'] : [name],
  );
  const lines = [[...columns, ...QUANTITIES].join()];
  for (let draw = 0; draw < DRAWS; draw++) {
    for (let layer = 1; layer <= 200; layer++) {
      // Numbers as long as measured ones, for the memory that they take.
      const value = (k: number) => Math.abs(Math.sin(1000 * draw + layer + k / 7));
      const angle =
        Math.atan(Math.sqrt(layer)) + value(0) / 1e3 + (draw === 123 && layer === 45 ? planted : 0);
      const measured = [angle, value(1), value(2), value(3), value(4), value(5)];
      lines.push(
        `figure-1a,${draw},resnet,relu,201,200,10,1,1,1,1,MF+muP,matrix-free,update,0.001,${layer},${measured}`,
      );
    }
  }
  mkdirSync(join(folder, dirname(path)), { recursive: true });
  writeFileSync(join(folder, path), `${lines.join('\n')}\n`);
}

/** The most memory that a process and those that it has started have held, each by itself; MB, of Linux only. */
function peaksOf(pid: number): number[] {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    const threads = readdirSync(`/proc/${pid}/task`);
    const children = threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
    );
    return [Number(kilobytes ?? 0) / 1e3, ...children.flatMap((child) => peaksOf(Number(child)))];
  } catch {
    return []; // It has ended.
  }
}

/** Calls the built program, and looks at what it and the process that draws take. */
function call(...words: string[]): Promise<{ code: unknown; stdout: string; megabytes: number }> {
  let megabytes = 0;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [PROGRAM, ...words], { cwd: folder }, (error, stdout) => {
      clearInterval(timer);
      resolve({ code: error ? error.code : 0, stdout, megabytes });
    });
    const timer = setInterval(() => {
      megabytes = Math.max(megabytes, ...peaksOf(child.pid!));
    }, 20);
  });
}

test.runIf(process.platform === 'linux')(
  `tables of ${200 * DRAWS} rows are compared and drawn in ${MEGABYTES} MB`,
  async () => {
    writeTable('before/figure-1a/table.csv', 0);
    writeTable('after/figure-1a/table.csv', 1e-3);
    const [diff, plot] = await Promise.all([
      call('diff', 'before', 'after', '--plot', 'diff.svg'),
      call('plot', 'before/figure-1a'),
    ]);
    expect(diff.code).toBe(1);
    expect(diff.stdout).toMatch(new RegExp(`bfa_rad.*1 of ${200 * DRAWS} rows.*draw 123, layer 45`));
    expect(diff.megabytes).toBeLessThan(MEGABYTES);
    expect(plot.code).toBe(0);
    expect(plot.megabytes).toBeLessThan(MEGABYTES);
    expect(Math.min(diff.megabytes, plot.megabytes)).toBeGreaterThan(100);
  },
);
