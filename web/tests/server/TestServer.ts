/** @file Stands in for the gateway before a browser: the contract of the figures, sessions by cookie, and what fails when a test says so. */

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { extname, join } from "node:path";

import type { OverviewChange, OverviewItem, Period } from "../../src/api/figures.ts";
import { answerMetric, itemOf, NOW, type Oddities, overviewOf } from "./figures.ts";
import { NAMED, SAMPLES } from "./metrics.ts";

/** As the gateway sends it. */
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const DIST = join(import.meta.dirname, "../../dist");
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const PATHS: Record<string, string> = { "/api/clinics": "clinic", "/api/practitioners": "practitioner", "/api/services": "service", "/api/billing/payers": "payer" };

/** Who may sign in. */
export const USER = { email: "manager@clinic.example", password: "fifteen letters and more" };
/** The code of their second factor, where they have one. */
export const CODE = "287082";

interface ServerSession {
  csrfToken: string;
  locked: boolean;
}

/** One request as it came. */
export interface Asked {
  method: string;
  path: string;
  unattended: boolean;
  lastEventId: string | undefined;
}

/** A server for one test. */
export class TestServer {
  readonly asked: Asked[] = [];
  readonly odd: Oddities = { suppressed: new Set(), restated: new Set(), missing: new Set(), sparse: new Map() };
  /** What is answered in place of an answer, by the beginning of the path. */
  readonly failing = new Map<string, { status: number; slug?: string; headers?: Record<string, string> }>();
  /** The user has a second factor. */
  secondFactor = false;
  role = "admin";
  scope: "api" | "enrol" = "api";
  /** Metrics that are counted; all when nothing else is said. */
  samples = SAMPLES;
  /** Where a session will be locked, and ends, in milliseconds from the clinic's standstill. */
  locksIn = 15 * 60_000;
  #sessions = new Map<string, ServerSession>();
  #streams = new Set<ServerResponse>();
  #said: OverviewChange[] = [];
  #server: Server = createServer((request, response) => void this.#serve(request, response).catch(() => response.destroy()));

  /** Begins to serve; the address is one at which a browser keeps secure cookies. */
  async start(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends it, with everything that is open. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** What was asked under a path. */
  askedFor(path: string): Asked[] {
    return this.asked.filter((each) => each.path.startsWith(path));
  }

  /** How many streams are open. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Tells every stream that a figure is another now. */
  say(metric: string, value: number, more: Partial<OverviewChange> = {}): void {
    const sample = SAMPLES.find((each) => each.metric === metric);
    if (!sample) throw new Error(`there is no ${metric}`);
    const item = itemOf(sample, "day", 1, this.odd);
    this.sayItems([{ ...item, current: { ...item.current, value, suppressed: false } }], more);
  }

  /** Tells every stream about figures; none is the sign that the server is there. */
  sayItems(items: OverviewItem[], more: Partial<OverviewChange> = {}): void {
    const change = { eventId: String(101 + this.#said.length), items, restated: [], time: new Date(NOW).toISOString(), ...more };
    this.#said.push(change);
    for (const stream of this.#streams) tell(stream, change);
  }

  /** Breaks every stream, as a network does. */
  breakStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  /** Locks every session, as idleness does. */
  lockSessions(): void {
    for (const session of this.#sessions.values()) session.locked = true;
  }

  /** Forgets every session, as the end of the day does. */
  endSessions(): void {
    this.#sessions.clear();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://localhost");
    const path = url.pathname;
    response.setHeader("x-content-type-options", "nosniff");
    if (request.method === "GET" && (path === "/" || path === "/favicon.svg" || path.startsWith("/assets/"))) return file(path, response);
    const method = request.method ?? "";
    this.asked.push({ method, path: url.pathname + url.search, unattended: request.headers["x-unattended"] === "true", lastEventId: header(request, "last-event-id") });
    response.setHeader("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
    response.setHeader("cache-control", "no-store");
    const failing = [...this.failing].find(([begin]) => path.startsWith(begin))?.[1];
    if (failing) return problem(response, failing.status, failing.slug, failing.headers);
    const body = await bodyOf(request);
    if (path === "/auth/session" && method === "POST") return this.#signIn(body, response);

    const cookie = /__Host-session=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
    const session = this.#sessions.get(cookie);
    if (!session) return problem(response, 401, "session-over");
    if (method !== "GET" && header(request, "x-csrf-token") !== session.csrfToken) return problem(response, 403, "cross-site-request");
    if (path.startsWith("/auth/session")) return this.#session(path, method, body, cookie, session, response);
    if (session.locked) return problem(response, 401, "session-locked");
    if (path === "/auth/me") return json(response, 200, { email: USER.email });
    return this.#figures(path, url.searchParams, request, response);
  }

  #signIn(body: Record<string, string>, response: ServerResponse): void {
    if (body["email"] !== USER.email || body["password"] !== USER.password) return problem(response, 401, "invalid-credentials");
    if (this.secondFactor && !body["otp"]) return problem(response, 401, "otp-required");
    if (this.secondFactor && body["otp"] !== CODE) return problem(response, 401, "invalid-credentials");
    const cookie = randomBytes(16).toString("hex");
    const session = { csrfToken: randomBytes(16).toString("hex"), locked: false };
    this.#sessions.set(cookie, session);
    response.setHeader("set-cookie", `__Host-session=${cookie}; Path=/; Secure; HttpOnly; SameSite=Strict`);
    json(response, 201, this.#told(session));
  }

  #session(path: string, method: string, body: Record<string, string>, cookie: string, session: ServerSession, response: ServerResponse): void {
    if (path === "/auth/session/lock") session.locked = true;
    else if (path === "/auth/session/unlock") {
      if (body["password"] !== USER.password) return problem(response, 422, "invalid-credentials");
      session.locked = false;
      return json(response, 200, this.#told(session));
    } else if (method === "GET") return json(response, 200, this.#told(session));
    else this.#sessions.delete(cookie);
    response.writeHead(204).end();
  }

  #told({ csrfToken, locked }: ServerSession): object {
    const user = { id: "0197a1b2-7c11-7000-8000-000000000001", email: USER.email, role: this.role, active: true };
    return { user, scope: this.scope, csrfToken, locked, locksAt: new Date(NOW + this.locksIn).toISOString(), endsAt: new Date(NOW + 12 * 3_600_000).toISOString() };
  }

  #figures(path: string, query: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    const dimension = PATHS[path];
    if (dimension === "practitioner" && this.role === "analyst") return problem(response, 403);
    if (dimension) return json(response, 200, { items: NAMED[dimension], next: null });
    if (this.role !== "analyst" && this.role !== "admin") return problem(response, 403);
    if (path === "/api/analytics/metrics") return json(response, 200, { items: this.samples.map(({ usual: _, ...metric }) => metric) });
    if (path === "/api/analytics/overview") return json(response, 200, overviewOf((query.get("period") ?? "day") as Period, query.get("clinicId"), this.odd));
    if (path === "/api/analytics/stream") return this.#stream(request, response);
    const [, name, rest] = /^\/api\/analytics\/metrics\/([a-z0-9-]+)(\/export)?$/.exec(path) ?? [];
    const sample = SAMPLES.find((each) => each.metric === name);
    if (!sample) return problem(response, 404);
    const answer = answerMetric(sample, query, this.odd);
    if (!rest) return json(response, 200, answer);
    const lines = answer.series.flatMap((series) => series.items.map((cell) => `${cell.start},${series.key},${cell.value ?? ""}`));
    response.writeHead(200, { "content-type": "text/csv; charset=utf-8" }).end(`start,key,value\n${lines.join("\n")}\n`);
  }

  #stream(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    // Sooner than a browser would by itself: tests wait for it.
    response.write("retry: 300\n\n: here\n\n");
    this.#streams.add(response);
    response.on("close", () => this.#streams.delete(response));
    const last = header(request, "last-event-id");
    const missed = last ? this.#said.filter((change) => Number(change.eventId) > Number(last)) : [];
    const items = last ? missed.flatMap((change) => change.items) : this.samples.map((sample) => itemOf(sample, "day", 1, this.odd));
    const restated = missed.flatMap((change) => change.restated);
    tell(response, { eventId: String(100 + this.#said.length), items, restated, time: new Date(NOW).toISOString() });
  }
}

function tell(stream: ServerResponse, change: OverviewChange): void {
  stream.write(`event: overview\nid: ${change.eventId}\ndata: ${JSON.stringify(change)}\n\n`);
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}

async function file(path: string, response: ServerResponse): Promise<void> {
  const name = path === "/" ? "/index.html" : path;
  const bytes = await readFile(join(DIST, name)).catch(() => null);
  if (!bytes) return problem(response, 404);
  const type = TYPES[extname(name)] ?? "application/octet-stream";
  response.writeHead(200, { "content-type": type, "content-security-policy": POLICY, "cache-control": "no-cache" }).end(bytes);
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, string>> {
  let text = "";
  for await (const part of request) text += String(part);
  return text ? (JSON.parse(text) as Record<string, string>) : {};
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function problem(response: ServerResponse, status: number, slug?: string, headers: Record<string, string> = {}): void {
  const type = slug ? `urn:patient-management:problem:${slug}` : "about:blank";
  response.writeHead(status, { "content-type": "application/problem+json", "x-request-id": "0197a1b2-7c11-7000-8000-00000000abcd", ...headers });
  response.end(JSON.stringify({ type, title: "A problem", status, detail: "As the test says." }));
}
