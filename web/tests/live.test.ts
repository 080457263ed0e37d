import { afterEach, describe, expect, it } from "vitest";

import { openSignedIn, type Scene } from "./browser.ts";

let scene: Scene;
afterEach(async () => {
  await scene.close();
  expect(scene.complaints).toEqual([]);
});

const tile = (title: string) => scene.page.locator(".tile", { has: scene.page.getByRole("link", { name: title, exact: true }) });
const status = () => scene.page.locator(".live");

describe("a figure that becomes another", () => {
  it("is shown at once, with its change, and its chart is asked for anew by the page itself", async () => {
    scene = await openSignedIn();
    const { page, server } = scene;
    await status().getByText("Live", { exact: true }).waitFor();
    await status().getByText(/updated \d+ s ago/).waitFor();
    const before = server.asked.length;
    server.say("registrations", 4321);
    await tile("Registrations").getByText("4,321").waitFor();
    await page.clock.runFor(20_000);
    await expect.poll(() => server.asked.slice(before).filter((each) => each.path.includes("/metrics/registrations?")).length).toBe(1);
    expect(server.asked.slice(before).filter((each) => each.path.includes("/metrics/claims-denied"))).toEqual([]);
    expect(server.asked.slice(before).filter((each) => !each.unattended).map((each) => each.path)).toEqual([]);
  });

  it("is read out, politely and together with others", async () => {
    scene = await openSignedIn();
    const { page, server } = scene;
    const said = page.getByText(/^Updated: /);
    server.say("registrations", 20);
    await expect.poll(() => said.textContent()).toBe("Updated: Registrations.");
    for (const value of [21, 22, 23]) server.say("bookings", value);
    await tile("Registrations").getByText("20", { exact: true }).waitFor();
    await expect.poll(() => said.textContent()).toBe("Updated: Registrations.");
    await page.clock.runFor(31_000);
    server.say("collected", 5);
    await expect.poll(() => said.textContent()).toBe("Updated: Bookings, Collected.");
  });

  it("of another period or clinic is asked for anew", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients?period=week");
    const { page, server } = scene;
    const shown = await tile("Registrations").locator(".tile-value").innerText();
    const before = server.asked.length;
    server.say("registrations", 4321);
    await page.clock.runFor(12_000);
    await expect.poll(() => server.asked.slice(before).some((each) => each.path.includes("/overview?period=week"))).toBe(true);
    await expect.poll(() => tile("Registrations").locator(".tile-value").innerText()).toBe(shown);
  });

  it("that was restated has a mark and says so", async () => {
    scene = await openSignedIn();
    const { page, server } = scene;
    server.odd.restated.add("no-shows");
    server.sayItems([], { restated: ["no-shows"] });
    await page.clock.runFor(15_000);
    const panel = page.getByRole("region", { name: "Appointments kept, missed and cancelled" });
    await panel.getByText(/Restated, because something came later: .*Nov 21/).waitFor();
  });
});

describe("a stream that breaks", () => {
  it("is resumed where it was, and what was missed is shown", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients");
    const { server } = scene;
    server.say("registrations", 1111);
    await tile("Registrations").getByText("1,111").waitFor();
    server.breakStreams();
    server.say("registrations", 2222);
    await tile("Registrations").getByText("2,222").waitFor();
    expect(server.askedFor("/api/analytics/stream").map((each) => each.lastEventId)).toEqual([undefined, "101"]);
  });

  it("says so, first that it reconnects and then since when the figures are old", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients");
    const { page, server } = scene;
    server.failing.set("/api/analytics/stream", { status: 503 });
    server.breakStreams();
    await status().getByText("Reconnecting…").waitFor();
    // The browser tries once more by itself; then it is the page's turn.
    await expect.poll(() => server.askedFor("/api/analytics/stream").length).toBe(2);
    for (let half = 0; half < 8; half += 1) {
      await page.clock.runFor(4_000);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await status().getByText(/Stale since 2:2\d\sPM/).waitFor();
    const asked = server.askedFor("/api/analytics/stream").length;
    expect(asked).toBeGreaterThan(2);
    expect(asked).toBeLessThan(12);
    server.failing.clear();
    const live = status().getByText("Live", { exact: true });
    for (let step = 0; step < 30 && !(await live.isVisible()); step += 1) {
      await page.clock.runFor(2_000);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await live.waitFor();
  });

  it("that is silent is not taken for a live one", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients");
    const { page, server } = scene;
    await status().getByText("Live", { exact: true }).waitFor();
    await page.clock.runFor(27_000);
    await status().getByText("Reconnecting…").waitFor();
    await page.clock.runFor(16_000);
    await expect.poll(() => server.askedFor("/api/analytics/stream").length).toBe(2);
    await status().getByText("Live", { exact: true }).waitFor();
  });

  it("because the session was locked elsewhere locks the page", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients");
    scene.server.lockSessions();
    scene.server.breakStreams();
    await scene.page.getByRole("dialog", { name: "Locked" }).waitFor();
  });
});

describe("a page behind others", () => {
  it("lets go of its connection after a while, and is up to date as soon as it is seen", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients/registrations");
    const { page, server } = scene;
    const show = (state: string) =>
      page.evaluate((visibility) => {
        Object.defineProperty(document, "visibilityState", { value: visibility, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, state);
    await expect.poll(() => server.streams).toBe(1);
    await show("hidden");
    await page.clock.runFor(50_000);
    // Not at once: nothing was told for so long that the page has just opened the stream anew.
    await expect.poll(() => server.streams).toBe(1);
    await page.clock.runFor(15_000);
    await expect.poll(() => server.streams).toBe(0);
    const before = server.asked.length;
    await show("visible");
    await expect.poll(() => server.streams).toBe(1);
    await status().getByText("Live", { exact: true }).waitFor();
    await page.clock.runFor(12_000);
    await expect.poll(() => server.asked.slice(before).some((each) => each.path.includes("/metrics/registrations?"))).toBe(true);
  });
});
