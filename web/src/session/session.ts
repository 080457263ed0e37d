/** @file The session of this browser, as `/auth/session` tells it. */

import { get, send } from "../api/request.ts";

/** What the page may know of its session; the token is not among it. */
export interface Session {
  user: { id: string; email: string; role: string };
  /** `enrol` until the account is set up. */
  scope: "api" | "enrol";
  csrfToken: string;
  locked: boolean;
  /** Unless the user does something. */
  locksAt: string;
  /** Whatever the user does. */
  endsAt: string;
}

/** What a user types to sign in. */
export interface Credentials {
  email: string;
  password: string;
  otp?: string;
}

/** The session that goes on; to ask for it is nobody's doing. */
export const readSession = (): Promise<Session> => get("/auth/session", { unattended: true });
/** Begins a session. */
export const signIn = (credentials: Credentials): Promise<Session> => send("POST", "/auth/session", credentials);
/** Ends it. */
export const signOut = (): Promise<void> => send("DELETE", "/auth/session");
/** Locks it until its user comes back. */
export const lock = (): Promise<void> => send("POST", "/auth/session/lock");
/** Unlocks it. */
export const unlock = (password: string): Promise<Session> => send("POST", "/auth/session/unlock", { password });
/** Says that the user is there, by the cheapest request that a session stands behind. */
export const attend = (): Promise<unknown> => get("/auth/me");
