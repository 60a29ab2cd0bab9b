import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { experimentNames, findConfig, kindOfOther } from './config-files.js';

const start = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'feature-speed-configs-'));
beforeAll(() => {
  process.chdir(folder);
  mkdirSync('configs');
  mkdirSync('mine/figure-1a', { recursive: true });
  writeFileSync('configs/own.json', '{"network": {}}');
  writeFileSync('configs/own.vl.json', '{}');
  writeFileSync('mine/narrow.json', '{"network": {}}');
  writeFileSync('mine/figure-1a/manifest.json', '{}');
});
afterAll(() => {
  process.chdir(start);
  rmSync(folder, { recursive: true });
});

describe('an experiment is found', () => {
  test('by path, and by name in configs/ of the working directory and then of the program', () => {
    expect(findConfig('mine/narrow.json')).toBe('mine/narrow.json');
    expect(findConfig('own')).toBe('configs/own.json');
    expect(findConfig('figure-1a')).toBe(join(start, 'configs/figure-1a.json'));
  });

  test('by the path that it has in a checkout, where there is none', () => {
    for (const word of ['configs/figure-1a.json', 'figure-1a.json', 'configs/figure-1a'])
      expect(findConfig(word)).toBe(join(start, 'configs/figure-1a.json'));
  });
});

test.each([
  ['figure-1', 'figure-1: no such file, and no experiment of this name; did you mean figure-1a?'],
  ['configs/figur-2b.json', 'configs/figur-2b.json: no such file, and .*; did you mean figure-2b?'],
  ['mine/narow.json', 'mine/narow.json: no such file, and .*; did you mean mine/narrow.json?'],
  ['quite-another-thing', 'no experiment of this name; there are own, auto-check, conjecture, .*'],
  ['mine', 'mine: expected an experiment, found a directory; name the files in it, such as mine/\\*.json'],
  [
    'mine/figure-1a',
    'found a directory; feature-speed run --from mine/figure-1a measures again what is in it',
  ],
])('%s is none, and it is said which may be meant', (word, message) => {
  expect(() => findConfig(word)).toThrow(new RegExp(message));
});

test('specs and schemas are known by what they are, whatever they are called', () => {
  expect(kindOfOther('{"$schema": "https://vega.github.io/schema/vega-lite/v6.json"}')).toBe(
    'a Vega-Lite spec',
  );
  expect(kindOfOther('{\n  "$schema": "http://json-schema.org/draft-07/schema#"}')).toBe('a JSON schema');
  expect(kindOfOther('{"$schema": "./schema.json", "network": {}}')).toBeUndefined();
  expect(kindOfOther('not JSON')).toBeUndefined();
  expect(experimentNames()).toContain('own');
  expect(experimentNames()).not.toContain('schema');
});
