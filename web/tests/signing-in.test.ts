import { afterEach, describe, expect, it } from "vitest";

import { open, openSignedIn, type Scene, signIn } from "./browser.ts";
import { CODE, USER } from "./server/TestServer.ts";

let scene: Scene;
afterEach(async () => {
  await scene.close();
  expect(scene.complaints).toEqual([]);
});

describe("signing in", () => {
  it("shows the figures, and keeps nothing that a script could take away", async () => {
    scene = await openSignedIn();
    const { page } = scene;
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await page.getByText(USER.email).waitFor();
    const kept = await page.evaluate(() => ({ cookie: document.cookie, local: { ...localStorage }, session: { ...sessionStorage } }));
    expect(kept).toEqual({ cookie: "", local: {}, session: {} });
  });

  it("says that the password is wrong, and nothing more", async () => {
    scene = await open(undefined, undefined, "#/patients");
    const { page } = scene;
    await page.getByLabel("E-mail address").fill(USER.email);
    await page.getByLabel("Password").fill("something else");
    await page.keyboard.press("Enter");
    const alert = page.getByRole("alert").filter({ hasText: "wrong" });
    await expect.poll(() => alert.innerText()).toBe("The e-mail address or the password is wrong.");
    await expect.poll(() => page.getByLabel("Password").getAttribute("aria-invalid")).toBe("true");
    await signIn(page);
    await page.getByRole("heading", { level: 1, name: "Patients" }).waitFor();
  });

  it("asks for a code where the account has one", async () => {
    scene = await open((server) => {
      server.secondFactor = true;
    });
    const { page } = scene;
    await signIn(page);
    const code = page.getByLabel("Code of your second factor, or a recovery code");
    await code.waitFor();
    await expect.poll(() => code.evaluate((field) => field === document.activeElement)).toBe(true);
    await code.fill("000000");
    await page.keyboard.press("Enter");
    await page.getByText("The e-mail address, the password or the code is wrong.").waitFor();
    await code.fill(`${CODE.slice(0, 3)} ${CODE.slice(3)}`);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  });

  it("says how long to wait after too many tries", async () => {
    scene = await open();
    const { page, server } = scene;
    await page.getByLabel("E-mail address").waitFor();
    server.failing.set("/auth/session", { status: 429, slug: "too-many-tries", headers: { "retry-after": "90" } });
    await signIn(page);
    await page.getByText("Too many tries have failed. Wait 2 minutes before the next.").waitFor();
  });

  it("says so when the server cannot be reached, and goes on when it can", async () => {
    scene = await open((server) => server.failing.set("/auth/session", { status: 503 }));
    const { page, server } = scene;
    await page.getByText("Not available at the moment").waitFor();
    server.failing.clear();
    await page.getByRole("button", { name: "Retry" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });

  it("shows no figures to an account that is still to be set up", async () => {
    scene = await open((server) => {
      server.scope = "enrol";
    });
    await signIn(scene.page);
    await scene.page.getByRole("heading", { name: "Your account is still to be set up" }).waitFor();
    expect(scene.server.askedFor("/api/analytics")).toEqual([]);
  });
});

describe("a session", () => {
  it("goes on when the page is loaded again", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients");
    await scene.page.reload();
    await scene.page.getByRole("heading", { level: 1, name: "Patients" }).waitFor();
  });

  it("ends when the user signs out", async () => {
    scene = await openSignedIn(undefined, undefined, "#/patients");
    const { page, server } = scene;
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out.").waitFor();
    await expect.poll(() => server.streams).toBe(0);
    await page.reload();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });

  it("that is over leads back to where the user was", async () => {
    scene = await openSignedIn(undefined, undefined, "#/claims/denial-rate");
    const { page, server } = scene;
    server.endSessions();
    await page.getByLabel("Group by").selectOption("week");
    await page.getByText("Your session has ended. Sign in to go on where you were.").waitFor();
    await signIn(page);
    await page.getByRole("heading", { level: 2, name: "Denial rate" }).waitFor();
    expect(page.url()).toContain("#/claims/denial-rate?group=week");
  });
});
