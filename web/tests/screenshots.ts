/** @file Pictures of the overview, light and dark: of a running system, or of figures that were made up. */

import { mkdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

import { LAUNCH } from "./launch.ts";
import { NOW } from "./server/figures.ts";
import { TestServer, USER } from "./server/TestServer.ts";

/** What may be said on the command line; who signs in comes from the environment, as `make env` prints it. */
const OPTIONS = {
  url: { type: "string" },
  out: { type: "string", default: "../docs/images" },
  hash: { type: "string", default: "" },
  name: { type: "string", default: "overview" },
  width: { type: "string", default: "1440" },
  height: { type: "string" },
} as const;

/** Takes them. */
export async function take(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: OPTIONS });
  const server = values.url ? null : new TestServer();
  if (server) server.odd.restated.add("appointments-kept").add("claims-denied");
  const url = values.url ?? (await server?.start()) ?? "";
  const email = (server ? undefined : process.env["PMS_ADMIN_EMAIL"]) ?? USER.email;
  const password = (server ? undefined : process.env["PMS_ADMIN_PASSWORD"]) ?? USER.password;
  const browser = await chromium.launch(LAUNCH);
  await mkdir(values.out, { recursive: true });
  for (const theme of ["light", "dark"] as const) {
    const context = await browser.newContext({ locale: "en-US", colorScheme: theme, viewport: { width: Number(values.width), height: Number(values.height ?? 900) } });
    const page = await context.newPage();
    if (server) await page.clock.install({ time: NOW });
    await page.goto(`${url}/${values.hash}`);
    await page.getByLabel("E-mail address").fill(email);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator("main h1").waitFor();
    await page.waitForFunction(() => document.querySelector("[aria-busy='true']") === null);
    await page.getByText("Live", { exact: true }).waitFor({ timeout: 4000 }).catch(async () => console.log(await page.locator(".live").innerText()));
    await page.waitForTimeout(400);
    const path = `${values.out}/${values.name}-${theme}.png`;
    await page.screenshot({ path, fullPage: values.height === undefined });
    console.log(path);
    await context.close();
  }
  await browser.close();
  await server?.stop();
}
