import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { AxeResults } from "axe-core";
import { afterEach, describe, expect, it } from "vitest";

import { open, openSignedIn, type Scene, settled, signIn } from "./browser.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let scene: Scene;
afterEach(async () => {
  await scene.close();
  expect(scene.complaints).toEqual([]);
});

/** What axe finds wrong, in words. */
async function violations(within = "html"): Promise<string[]> {
  const { page } = scene;
  await page.evaluate(AXE);
  type Axe = { run: (within: string) => Promise<AxeResults> };
  const results = await page.evaluate((selector) => (globalThis as unknown as { axe: Axe }).axe.run(selector), within);
  return results.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")} ${node.failureSummary ?? ""}`));
}

const scrollsSideways = () => scene.page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

describe.each(["light", "dark"] as const)("in %s colours", (colorScheme) => {
  describe.each([360, 1440])("at %i pixels", (width) => {
    const options = { colorScheme, viewport: { width, height: 900 } };

    it("nothing is wrong with any state of the overview, and nothing has to be scrolled sideways", async () => {
      scene = await open((server) => {
        server.odd.suppressed.add("registrations");
        server.odd.restated.add("no-shows").add("collected");
        server.odd.missing.add("encounters");
        server.failing.set("/api/analytics/metrics/charged", { status: 503 });
      }, options);
      const { page } = scene;
      const signingIn = page.getByRole("button", { name: "Sign in" });
      await signingIn.waitFor();
      expect(await violations()).toEqual([]);
      await signingIn.click();
      await page.getByRole("alert").filter({ hasText: "Enter" }).waitFor();
      expect(await violations()).toEqual([]);
      expect(await scrollsSideways()).toBe(false);
      await signIn(page);
      await settled(page);
      await page.locator(".as-table summary").first().click();
      await page.getByRole("button", { name: "What is counted: Patient load", exact: true }).click();
      expect(await violations()).toEqual([]);
      expect(await scrollsSideways()).toBe(false);
      await page.getByRole("button", { name: "Lock" }).click();
      await page.getByRole("dialog", { name: "Locked" }).waitFor();
      expect(await violations("dialog")).toEqual([]);
      expect(await scrollsSideways()).toBe(false);
    });

    it("nothing is wrong with the page of a topic, stale and about to be locked", async () => {
      scene = await openSignedIn(undefined, options, "#/appointments/no-show-rate?by=practitioner");
      const { page, server } = scene;
      expect(await violations()).toEqual([]);
      expect(await scrollsSideways()).toBe(false);
      server.failing.set("/api/analytics/stream", { status: 503 });
      server.breakStreams();
      await page.clock.fastForward("13:45");
      await page.getByText("it will be locked in about a minute").waitFor();
      await page.getByText(/Stale since/).waitFor();
      expect(await violations(".toolbar")).toEqual([]);
      expect(await violations(".lock-warning")).toEqual([]);
      expect(await scrollsSideways()).toBe(false);
    });
  });
});
