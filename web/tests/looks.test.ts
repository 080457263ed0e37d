import type { Locator } from "playwright-core";
import { afterEach, describe, expect, it } from "vitest";

import { open, openSignedIn, type Scene, settled, signIn } from "./browser.ts";

let scene: Scene;
afterEach(async () => {
  await scene.close();
  expect(scene.complaints).toEqual([]);
});

const background = () => scene.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

describe("the theme", () => {
  it("is the system's until one is chosen, which is remembered", async () => {
    scene = await openSignedIn(undefined, { colorScheme: "light" }, "#/patients");
    const { page } = scene;
    const light = await background();
    await page.getByLabel("Theme").selectOption("dark");
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.reload();
    await settled(page);
    expect(await background()).toBe(dark);
    await expect.poll(() => page.evaluate(() => ({ ...localStorage }))).toEqual({ theme: "dark" });
    await page.getByLabel("Theme").selectOption("system");
    expect(await background()).toBe(light);
    await expect.poll(() => page.evaluate(() => localStorage.length)).toBe(0);
  });

  it("reaches what is drawn, too", async () => {
    scene = await openSignedIn(undefined, { colorScheme: "light" }, "#/patients");
    const { page } = scene;
    const canvas = page.locator("canvas").first();
    const drawn = () => canvas.evaluate((element) => (element as HTMLCanvasElement).toDataURL());
    const before = await drawn();
    await page.getByLabel("Theme").selectOption("dark");
    await expect.poll(drawn).not.toBe(before);
    await page.getByLabel("Theme").selectOption("light");
    await expect.poll(drawn).toBe(before);
  });
});

describe("a line", () => {
  /** How many parts of the picture have its colour, beside each other from left to right. */
  const parts = (canvas: Locator, series: string) =>
    canvas.evaluate((element, name) => {
      const { width, height } = element as HTMLCanvasElement;
      const colour = getComputedStyle(element).getPropertyValue(name).trim();
      const own = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
      const pixels = (element as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data ?? [];
      const columns = new Set<number>();
      for (let at = 0; at < pixels.length; at += 4) if (own.every((part, of) => pixels[at + of] === part)) columns.add((at / 4) % width);
      return [...columns].filter((column) => !columns.has(column - 1)).length;
    }, series);

  it("of which a value has none beside it has a dot there, in every theme and on paper", async () => {
    // Three alone, one of them in the first group and one in the last, and two beside each other.
    scene = await openSignedIn((server) => server.odd.sparse.set("wait-time-median", new Set([0, 9, 18, 19, 29])), { colorScheme: "light" });
    const { page } = scene;
    const canvas = page.getByRole("region", { name: "Waiting time and length of a visit, medians" }).locator("canvas");
    const seen = () => parts(canvas, "--series-1");
    expect(await seen()).toBe(4);
    const light = await background();
    await page.getByLabel("Theme").selectOption("dark");
    await expect.poll(seen).toBe(4);
    await page.emulateMedia({ media: "print" });
    await expect.poll(seen).toBe(4);
    expect(await background()).not.toBe(light);
  });
});

describe("the keyboard", () => {
  it("goes from the skip link through everything that can be used, in the order of the page", async () => {
    scene = await openSignedIn();
    const { page } = scene;
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.press("Tab");
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the figures");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("main");
    const stops: string[] = [];
    for (let step = 0; step < 9; step += 1) {
      await page.keyboard.press("Tab");
      stops.push(
        await page.evaluate(() => {
          const element = document.activeElement as HTMLElement;
          const shown = element.matches("input[type=radio]") ? (element.nextElementSibling as HTMLElement) : element;
          const visible = getComputedStyle(shown).outlineStyle !== "none";
          return `${visible ? "" : "unseen "}${element.getAttribute("aria-label") ?? element.closest("label")?.querySelector("span")?.textContent ?? element.textContent ?? ""}`;
        }),
      );
    }
    expect(stops).toEqual([
      "Today",
      "Clinic",
      "Patient load",
      "What is counted: Patient load",
      "Registrations",
      "What is counted: Registrations",
      "New patients",
      "What is counted: New patients",
      "Returning patients",
    ]);
  });

  it("chooses the period by arrows", async () => {
    scene = await openSignedIn();
    const { page } = scene;
    await page.getByRole("radio", { name: "Today" }).focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => page.url()).toContain("period=week");
    await expect.poll(() => page.evaluate(() => document.activeElement?.nextElementSibling?.textContent)).toBe("This week");
  });
});

describe("on paper", () => {
  it("are the figures in black on white, and nothing to click", async () => {
    scene = await openSignedIn(undefined, { colorScheme: "dark", viewport: { width: 718, height: 1000 } });
    const { page } = scene;
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await background()).toBe("rgb(255, 255, 255)");
    for (const hidden of [page.getByRole("navigation"), page.getByRole("button", { name: "Lock" }), page.getByRole("link", { name: "CSV" }).first()]) {
      await expect.poll(() => hidden.isVisible()).toBe(false);
    }
    await page.getByText("Printed 2026-11-24").waitFor();
    await expect.poll(() => page.locator(".tile").first().isVisible()).toBe(true);
    const overflow = await page.locator(".panel").evaluateAll((panels) => panels.filter((panel) => panel.scrollWidth > panel.clientWidth + 1).length);
    expect(overflow).toBe(0);
    expect((await page.pdf({ format: "A4" })).length).toBeGreaterThan(20_000);
  });
});

describe("for who wants no motion", () => {
  it("nothing moves", async () => {
    scene = await open(undefined, { reducedMotion: "reduce" });
    const { page } = scene;
    await page.route("**/api/analytics/overview*", () => {});
    await signIn(page);
    await page.locator(".tile.skeleton").first().waitFor();
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  });
});
