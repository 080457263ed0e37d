import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // What takes the time is to load the CDK, so one process loads it once.
    isolate: false,
    maxWorkers: 1,
    fileParallelism: false,
    // Synthesis is what takes the time, once for each file; a slow machine has to have enough of it.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
