import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { openSignedIn, type Scene, settled } from "./browser.ts";
import { SAMPLES } from "./server/metrics.ts";

let scene: Scene;
let shared: Scene;
afterEach(async () => {
  if (scene !== shared) await scene.close();
  expect(scene.complaints).toEqual([]);
});

const tile = (title: string) => scene.page.locator(".tile", { has: scene.page.getByRole("link", { name: title, exact: true }) });
const panel = (title: string) => scene.page.getByRole("region", { name: title, exact: true });

describe("a figure that is odd", () => {
  it("because it is suppressed says so and why; one that is missing is a dash", async () => {
    scene = await openSignedIn((server) => {
      server.odd.suppressed.add("registrations").add("no-show-rate");
      server.odd.missing.add("encounters");
    });
    await tile("Registrations").getByText("<11").waitFor();
    await tile("Registrations").getByText("suppressed").waitFor();
    await tile("Registrations").getByText("Fewer than 11 stand behind it").waitFor();
    await tile("No-show rate").getByText("n < 11").waitFor();
    await tile("Encounters").getByText("—").waitFor();
    await panel("Encounters").getByText("Nothing was counted in this time.").waitFor();
    await panel("Registrations, new and returning patients").getByText(/\d days have a suppressed figure \(<11\)/).waitFor();
  });

  it("because the server counts it and this page has never heard of it is there, and one that is not counted is not", async () => {
    scene = await openSignedIn(
      (server) => {
        const [first] = SAMPLES;
        if (!first) throw new Error("no sample");
        server.samples = [...SAMPLES.filter((each) => each.topic === "patients"), { ...first, metric: "walk-ins", title: "Walk-ins" }];
      },
      undefined,
      "#/patients",
    );
    const { page } = scene;
    await page.getByRole("link", { name: "Walk-ins" }).waitFor();
    await page.getByRole("link", { name: "Overview" }).click();
    await settled(page);
    await expect.poll(() => page.locator("main h2").allInnerTexts()).toEqual(["Patients"]);
  });
});

describe("a usual page", () => {
  // Nothing that is done here changes what another test sees.
  beforeAll(async () => {
    shared = await openSignedIn();
  });
  beforeEach(() => {
    scene = shared;
  });
  afterAll(() => shared.close());

  it("sets figures beside yesterday and last year in words", async () => {
    const changes = await tile("Registrations").locator("li").allInnerTexts();
    expect(changes).toHaveLength(2);
    expect(changes[0]).toMatch(/(Up|Down) [\d.]+% on yesterday|No change on yesterday/);
    expect(changes[1]).toMatch(/on last year/);
  });

  it("gives money the digits of its currency", async () => {
    await expect.poll(() => tile("Collected").locator(".tile-value").innerText()).toMatch(/^\$[\d,]+\.\d\d$/);
  });

  it("says what is counted, to the keyboard as well", async () => {
    const { page } = scene;
    const button = page.getByRole("button", { name: "What is counted: No-show rate" });
    await button.focus();
    await page.keyboard.press("Enter");
    await tile("No-show rate").getByText("No-shows divided by kept and no-shows.").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => tile("No-show rate").getByText("No-shows divided by").isVisible()).toBe(false);
    await expect.poll(() => button.evaluate((element) => element === document.activeElement)).toBe(true);
  });

  it("has a summary for each chart, a table with the same figures, and its CSV", async () => {
    const { page, server } = scene;
    const shown = panel("Charged, allowed and collected");
    const id = await shown.locator(".plot-frame").getAttribute("aria-describedby");
    await expect.poll(() => page.locator(`[id="${id}"]`).textContent()).toMatch(/^By week, Week of .* Charged: \$[\d,.]+ in all, highest/);
    await shown.getByText("Table").click();
    await expect.poll(() => shown.getByRole("columnheader").allInnerTexts()).toEqual(["Week", "Charged", "Allowed", "Collected"]);
    await expect.poll(() => shown.locator("tbody tr").count()).toBe(26);
    const download = page.waitForEvent("download");
    await shown.getByRole("link", { name: "CSV: Collected" }).click();
    expect((await download).suggestedFilename()).toBe("collected.csv");
    expect(server.askedFor("/api/analytics/metrics/collected/export")[0]?.path).toContain("group=week");
  });

  it("has charts that are read by arrow keys", async () => {
    const { page } = scene;
    const shown = panel("Registrations, new and returning patients");
    await shown.locator(".plot-frame").focus();
    await page.keyboard.press("End");
    await shown.getByText(/^Tue, Nov 24, 2026: Registrations \d+, New patients \d+/).waitFor();
    await page.keyboard.press("ArrowLeft");
    await shown.getByText(/^Mon, Nov 23, 2026: Registrations \d+/).waitFor();
  });

  it("has its times by the clinic's clock, wherever the browser is", async () => {
    const shown = panel("Patient load by hour, today");
    await shown.getByText("Table").click();
    await shown.locator("tbody th").first().waitFor();
    const hours = await shown.locator("tbody th").allInnerTexts();
    expect([hours[0], hours.at(-1)].map((hour) => hour?.replace(/\s/g, " "))).toEqual(["Tue 12:00 AM", "Tue 2:00 PM"]);
  });
});

describe("what is chosen", () => {
  it("is the period and the clinic of everything, and goes along", async () => {
    scene = await openSignedIn();
    const { page, server } = scene;
    await page.getByRole("radio", { name: "This month" }).check();
    await page.getByLabel("Clinic").selectOption({ label: "Old Mill" });
    await settled(page);
    const clinic = "0197a1b1-7c11-7000-8000-1b2c3d4e5f60";
    await tile("Registrations").getByText("on last month").waitFor();
    expect(server.askedFor("/api/analytics/overview").at(-1)?.path).toBe(`/api/analytics/overview?period=month&clinicId=${clinic}`);
    expect(server.askedFor("/api/analytics/metrics/registrations?").at(-1)?.path).toContain(`from=2025-12-01&group=month&clinicId=${clinic}`);
    await page.getByRole("link", { name: "Claims", exact: true }).click();
    expect(page.url()).toContain(`clinic=${clinic}`);
    await page.reload();
    await settled(page);
    await expect.poll(() => page.getByLabel("Clinic").inputValue()).toBe(clinic);
  });

  it("tells a metric apart by names, and beside the year before", async () => {
    scene = await openSignedIn(undefined, undefined, "#/appointments/no-show-rate");
    const { page } = scene;
    await page.getByLabel("Split by").selectOption("practitioner");
    await page.locator(".legend").getByText("Dr R. Adeyemi").waitFor();
    await page.getByLabel("Split by").selectOption("");
    await page.getByLabel("Compare with").selectOption("previous-year");
    await page.locator(".legend").getByText("No-show rate, earlier").waitFor();
  });

  it("has names of whatever has one for analysts, too, but for practitioners, who have a code", async () => {
    scene = await openSignedIn(
      (server) => {
        server.role = "analyst";
      },
      undefined,
      "#/revenue/collected?by=practitioner",
    );
    const { page } = scene;
    const lines = page.locator(".legend li:not(.legend-group)");
    await page.getByText("A code stands for each practitioner").waitFor();
    const codes = await lines.allInnerTexts();
    expect(codes.map((code) => code.trim())).toEqual(["Practitioner A828", "Practitioner S758", "Practitioner J689", "Practitioner A620"]);
    await page.getByLabel("Split by").selectOption("payer");
    await expect.poll(() => lines.first().innerText()).toContain("Meridian Health");
    await page.getByLabel("Split by").selectOption("service");
    await expect.poll(() => lines.first().innerText()).toContain("Office visit, established (99213)");
    await expect.poll(() => page.getByText("A code stands for each").count()).toBe(0);
    await page.getByRole("link", { name: "Overview" }).click();
    const services = panel("Top services by units, last 30 days");
    await services.waitFor();
    await page.getByLabel("Clinic").selectOption({ label: "Northgate" });
    await services.getByText("Annual check-up (99396)").waitFor();
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
  });

  it("has codes while names cannot be had, and no failure", async () => {
    scene = await openSignedIn((server) => server.failing.set("/api/clinics", { status: 503 }).set("/api/services", { status: 503 }));
    const { page } = scene;
    await expect.poll(() => page.getByLabel("Clinic").locator("option").allInnerTexts()).toEqual(["All clinics", expect.stringMatching(/^Clinic [A-Z]\d{3}$/), expect.anything(), expect.anything()]);
    await panel("Top services by units, last 30 days").getByText("99213", { exact: true }).waitFor();
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
  });
});
