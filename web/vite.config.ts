import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// A running system, for `npm run dev`: `eval "$(make -s env)"` sets it.
const system = process.env["PMS_URL"] ?? "http://127.0.0.1:7400";

export default defineConfig({
  plugins: [react()],
  build: {
    // The policy for scripts and pictures has no room for anything inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: {
    // The address bar and the `Host` that is passed on must agree, or the gateway takes the page for another site's.
    proxy: { "/api": { target: system, changeOrigin: false }, "/auth": { target: system, changeOrigin: false } },
  },
  test: {
    projects: [
      { test: { name: "unit", include: ["src/**/*.test.ts"], environment: "node" } },
      {
        test: {
          name: "browser",
          include: ["tests/*.test.ts"],
          environment: "node",
          globalSetup: ["tests/browser.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          // A page draws when it comes to it: what it shows is looked at until it is so.
          expect: { poll: { timeout: 8_000 } },
          // Each starts pages of its own; more at once than the machine has cores would only wait.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          // The files share nothing but the browser, which they connect to once.
          isolate: false,
        },
      },
    ],
  },
});
