import { afterEach, describe, expect, it } from "vitest";

import { open, openSignedIn, type Scene, settled, signIn } from "./browser.ts";

let scene: Scene;
afterEach(async () => {
  await scene.close();
  expect(scene.complaints).toEqual([]);
});

describe("a panel that fails", () => {
  it("leaves the others alone, says what to do, and comes back", async () => {
    scene = await openSignedIn((server) => server.failing.set("/api/analytics/metrics/charged", { status: 503 }));
    const { page, server } = scene;
    const panel = page.getByRole("region", { name: "Charged, allowed and collected" });
    await panel.getByText("A part of the system does not answer. Nothing is lost; try again in a moment.").waitFor();
    await panel.getByText("Reference 0197a1b2-7c11-7000-8000-00000000abcd").waitFor();
    await expect.poll(() => page.getByRole("alert").count()).toBe(1);
    const height = (await panel.boundingBox())?.height;
    server.failing.clear();
    await panel.getByRole("button", { name: "Retry" }).click();
    await panel.locator(".plot-frame").waitFor();
    expect((await panel.boundingBox())?.height).toBe(height);
  });

  it("keeps what it showed when only the page asked anew", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients/registrations");
    const { page, server } = scene;
    server.failing.set("/api/analytics/metrics/registrations", { status: 503 });
    server.say("registrations", 9);
    await page.clock.runFor(15_000);
    await expect.poll(() => server.askedFor("/api/analytics/metrics/registrations").length).toBe(2);
    await settled(page);
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
  });

  it("says that the network is away", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients");
    const { page } = scene;
    await page.context().setOffline(true);
    await page.getByRole("link", { name: "Revenue", exact: true }).click();
    await page.getByText("This computer cannot reach the clinic’s server.").waitFor();
    await page.context().setOffline(false);
    await page.getByRole("button", { name: "Retry" }).click();
    await page.locator(".plot-frame").waitFor();
  });
});

describe("a role that may not see figures", () => {
  it("is told so, once", async () => {
    scene = await open((server) => {
      server.role = "nurse";
    });
    const { page } = scene;
    await signIn(page);
    await page.getByText("Your role may not see these figures. Ask an administrator if you need them.").waitFor();
    await expect.poll(() => page.getByRole("alert").count()).toBe(1);
  });
});

describe("while it is loaded", () => {
  it("every tile and panel has its place already", async () => {
    scene = await open();
    const { page } = scene;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route("**/api/analytics/{metrics,overview}*", async (route) => {
      await held;
      await route.continue();
    });
    await signIn(page);
    await page.locator(".tile.skeleton").first().waitFor();
    const last = page.getByRole("region", { name: "Claims", exact: true });
    const before = await last.boundingBox();
    release();
    await settled(page);
    expect(before?.y).toBeGreaterThan(1000);
    expect(Math.abs(((await last.boundingBox())?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(8);
  });
});
