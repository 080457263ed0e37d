/** @file One Chromium for all browser tests, and a page with a server of its own for each. */

import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { TestProject } from "vitest/node";
import { inject } from "vitest";

import { CHROMIUM, LAUNCH } from "./launch.ts";
import { NOW } from "./server/figures.ts";
import { TestServer, USER } from "./server/TestServer.ts";

declare module "vitest" {
  export interface ProvidedContext {
    browser: string;
  }
}

/** Starts the browser before all tests, and ends it after them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!existsSync(CHROMIUM)) throw new Error(`there is no ${CHROMIUM}: apt-get install chromium, or set CHROMIUM`);
  const server = await chromium.launchServer(LAUNCH);
  project.provide("browser", server.wsEndpoint());
  return () => server.close();
}

let connected: Promise<Browser> | undefined;

/** A page, its server, and what it said that it should not have. */
export interface Scene {
  page: Page;
  server: TestServer;
  url: string;
  /** Errors of the page and refusals of its policy. */
  complaints: string[];
  close: () => Promise<void>;
}

/** Opens the page. The clinic's clock stands at `NOW` and goes on from there. */
export async function open(prepare: (server: TestServer) => void = () => {}, options: BrowserContextOptions = {}, hash = ""): Promise<Scene> {
  connected ??= chromium.connect(inject("browser"));
  const browser = await connected;
  const server = new TestServer();
  prepare(server);
  const url = await server.start();
  const context = await browser.newContext({ locale: "en-US", timezoneId: "Europe/Berlin", viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(8_000);
  await page.clock.install({ time: NOW });
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // That a request failed is what many tests are about.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complaints.push(message.text());
  });
  await page.goto(`${url}/${hash}`);
  const close = async () => {
    await context.close();
    await server.stop();
  };
  return { page, server, url, complaints, close };
}

/** Signs in as the one user there is. */
export async function signIn(page: Page): Promise<void> {
  await page.getByLabel("E-mail address").fill(USER.email);
  await page.getByLabel("Password").fill(USER.password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Opens the page and signs in; everything has come. */
export async function openSignedIn(prepare?: (server: TestServer) => void, options?: BrowserContextOptions, hash?: string): Promise<Scene> {
  const scene = await open(prepare, options, hash);
  await signIn(scene.page);
  await settled(scene.page);
  return scene;
}

/** Waits until nothing is being loaded. */
export async function settled(page: Page): Promise<void> {
  await page.locator("main h1").first().waitFor();
  await page.waitForFunction(() => document.querySelector("[aria-busy='true']") === null);
}
