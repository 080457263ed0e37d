/** @file The one door to the server: the cookie goes along by itself, and what refuses it is told to the session. */

import { Failure, failureOf } from "./problem.ts";

/** Refusals that are about the session and not about what was asked. */
export type SessionRefusal = "session-locked" | "session-over";

let csrfToken = "";
let refused: (why: SessionRefusal) => void = () => {};

/** Sets what proves that a change comes from this page. It lives in memory alone. */
export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** Sets who is told when the server refuses the session. */
export function onSessionRefusal(listener: (why: SessionRefusal) => void): void {
  refused = listener;
}

/** How a request is made. */
export interface Asking {
  /** The page asks by itself: it keeps no session from being locked. */
  unattended?: boolean;
  signal?: AbortSignal | undefined;
}

/** Reads something. */
export async function get<T>(path: string, { unattended = false, signal }: Asking = {}): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (unattended) headers["x-unattended"] = "true";
  const response = await ask(path, { headers, signal: signal ?? null });
  return (await response.json()) as T;
}

/** Changes something; nothing is answered where there is nothing to tell. */
export async function send<T = void>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (csrfToken) headers["x-csrf-token"] = csrfToken;
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await ask(path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function ask(path: string, request: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...request });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Failure(0);
  }
  if (response.ok) return response;
  const failure = await failureOf(response);
  if (failure.slug === "session-locked" || failure.slug === "session-over") refused(failure.slug);
  throw failure;
}

/** Whatever was thrown, as a failure; null when somebody called the request off. */
export function failureFrom(error: unknown): Failure | null {
  if (error instanceof Failure) return error;
  if (error instanceof DOMException && error.name === "AbortError") return null;
  return new Failure(500);
}
