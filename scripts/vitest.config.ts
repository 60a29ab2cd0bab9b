import { defineConfig } from 'vitest/config';

// The program is built before the tests (`pretest`), since some of them call it as a user would.
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['src/**/*.test.ts'],
    testTimeout: 60_000,
    reporters: process.env.CI ? ['default', './scripts/count-reporter.ts'] : ['default'],
  },
});
