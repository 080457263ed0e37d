import { afterEach, describe, expect, it } from "vitest";

import { openSignedIn, type Scene } from "./browser.ts";
import { USER } from "./server/TestServer.ts";

let scene: Scene;
afterEach(async () => {
  await scene.close();
  expect(scene.complaints).toEqual([]);
});

const locked = () => scene.page.getByRole("dialog", { name: "Locked" });

async function unlock(): Promise<void> {
  await locked().getByLabel("Password").fill(USER.password);
  await scene.page.keyboard.press("Enter");
  await locked().waitFor({ state: "detached" });
}

describe("a page that is locked", () => {
  it("shows nothing, lets nobody reach what is behind, and ends its stream", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients/registrations");
    const { page, server } = scene;
    await page.getByRole("button", { name: "Lock" }).click();
    await locked().waitFor();
    expect(await page.getByText("Registrations").first().isVisible()).toBe(false);
    expect(await page.locator(".application").getAttribute("inert")).not.toBeNull();
    await expect.poll(() => server.streams).toBe(0);
    for (const key of ["Tab", "Tab", "Tab", "Tab", "Escape", "Escape", "Escape"]) await page.keyboard.press(key);
    // The browser closes a dialog at the second Escape, whatever the page says, and the page opens it again.
    await expect.poll(() => locked().isVisible()).toBe(true);
    const inside = await page.evaluate(() => document.activeElement === document.body || document.activeElement?.closest("dialog") !== null);
    expect(inside).toBe(true);
  });

  it("keeps its place and gives the focus back", async () => {
    scene = await openSignedIn(undefined, undefined, "#/appointments/no-show-rate?by=clinic");
    const { page, server } = scene;
    await page.locator(".as-table summary").click();
    await page.evaluate(() => scrollTo(0, 300));
    const scrolled = await page.evaluate(() => scrollY);
    await page.getByRole("button", { name: "Lock" }).evaluate((button) => (button as HTMLElement).focus({ preventScroll: true }));
    await page.keyboard.press("Enter");
    await unlock();
    expect(page.url()).toContain("#/appointments/no-show-rate?by=clinic");
    await page.getByRole("region", { name: "Table of No-show rate" }).waitFor();
    await expect.poll(() => page.evaluate(() => scrollY)).toBe(scrolled);
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Lock");
    await expect.poll(() => server.streams).toBe(1);
  });

  it("says that the password is wrong", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients/registrations");
    const { page } = scene;
    await page.getByRole("button", { name: "Lock" }).click();
    await locked().getByLabel("Password").fill("no");
    await page.keyboard.press("Enter");
    await locked().getByText("That is not your password.").waitFor();
    await expect.poll(() => locked().getByLabel("Password").inputValue()).toBe("");
    await unlock();
  });

  it("can be left", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients/registrations");
    await scene.page.getByRole("button", { name: "Lock" }).click();
    await locked().getByRole("button", { name: "Sign out" }).click();
    await scene.page.getByRole("heading", { name: "Sign in" }).waitFor();
  });

  it("is not locked when the server could not be told", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients/registrations");
    const { page, server } = scene;
    server.failing.set("/auth/session/lock", { status: 503 });
    await page.getByRole("button", { name: "Lock" }).click();
    await page.getByText("That did not work, and you are still signed in.").waitFor();
    await expect.poll(() => locked().count()).toBe(0);
  });
});

describe("a page that nobody uses", () => {
  it("warns, and is locked as the server says; what it asks by itself does not keep it open", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients/registrations");
    const { page, server } = scene;
    const before = server.asked.length;
    await page.clock.fastForward("13:40");
    await page.getByText("it will be locked in about a minute").waitFor();
    // The page asks for the session when its stream is refused, which is no reason to take the warning back.
    server.failing.set("/api/analytics/stream", { status: 503 });
    const asked = server.askedFor("/auth/session").length;
    server.breakStreams();
    await expect.poll(() => server.askedFor("/auth/session").length).toBeGreaterThan(asked);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await page.getByText("it will be locked in about a minute").isVisible()).toBe(true);
    server.failing.clear();
    for (let step = 0; step < 20 && server.streams === 0; step += 1) {
      await page.clock.runFor(500);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await expect.poll(() => server.streams).toBe(1);
    server.sayItems([], { restated: ["registrations"] });
    await page.clock.runFor(20_000);
    await expect.poll(() => server.asked.slice(before).some((each) => each.path.includes("/metrics/registrations"))).toBe(true);
    const attended = server.asked.slice(before).filter((each) => !each.unattended && !each.path.endsWith("/stream"));
    expect(attended).toEqual([]);
    server.lockSessions();
    await page.clock.runFor(70_000);
    await locked().waitFor();
    server.locksIn = 60 * 60_000;
    await unlock();
  });

  it("stays open for who says that they are there", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients/registrations");
    const { page, server } = scene;
    await page.clock.fastForward("13:40");
    server.locksIn = 60 * 60_000;
    await page.getByRole("button", { name: "Stay signed in" }).click();
    await page.getByText("it will be locked in about a minute").waitFor({ state: "detached" });
    expect(server.askedFor("/auth/me").some((each) => !each.unattended)).toBe(true);
  });

  it("stays open for who uses it without asking for anything", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients/registrations");
    const { page, server } = scene;
    await page.clock.fastForward("02:00");
    expect(server.askedFor("/auth/me")).toEqual([]);
    await page.keyboard.press("Tab");
    await page.clock.runFor(6_000);
    await expect.poll(() => server.askedFor("/auth/me").length).toBe(1);
  });
});
