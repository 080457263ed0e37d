/** @file Who is signed in here, for the whole page, and the steps from one state to the next. */

import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";

import { Failure } from "../api/problem.ts";
import { failureFrom, onSessionRefusal, setCsrfToken } from "../api/request.ts";
import { idleStep } from "./idle.ts";
import * as server from "./session.ts";

/** What the page may show. */
export type SessionState =
  | { phase: "unknown" }
  | { phase: "unreachable"; failure: Failure }
  | { phase: "signed-out"; notice: string }
  | { phase: "open" | "locked"; session: server.Session };

interface SessionActions {
  state: SessionState;
  /** The session is to be locked soon, since nobody does anything. */
  locksSoon: boolean;
  signIn: (credentials: server.Credentials) => Promise<void>;
  unlock: (password: string) => Promise<void>;
  lock: () => Promise<void>;
  signOut: () => Promise<void>;
  /** Asks anew, after the server could not be reached or may have locked the session. */
  ask: () => Promise<void>;
  /** Says that somebody is there. */
  stay: () => Promise<void>;
}

const SessionContext = createContext<SessionActions | null>(null);

const OVER = "Your session has ended. Sign in to go on where you were.";

/** The session and what can be done with it. */
export function useSession(): SessionActions {
  const session = useContext(SessionContext);
  if (!session) throw new Error("there is no SessionProvider around");
  return session;
}

/** Keeps the session for everything inside. */
export function SessionProvider({ children }: { children: ReactNode }) {
  const [state, setState] = useState<SessionState>({ phase: "unknown" });
  const [locksSoon, setLocksSoon] = useState(false);
  const active = useRef({ activeAt: 0, attendedAt: Date.now() });

  const open = useCallback((session: server.Session) => {
    setCsrfToken(session.csrfToken);
    // To have asked keeps nothing open, so a warning stays until there is a reason for it to go.
    setLocksSoon(idleStep({ locksAt: Date.parse(session.locksAt), ...active.current }, Date.now()) === "warn");
    setState({ phase: session.locked ? "locked" : "open", session });
  }, []);

  const close = useCallback((notice: string) => {
    setCsrfToken("");
    setState({ phase: "signed-out", notice });
  }, []);

  const ask = useCallback(async () => {
    try {
      open(await server.readSession());
    } catch (error) {
      const failure = failureFrom(error) ?? new Failure(0);
      // Who was signed in is told that they are not any more; who never was is not.
      if (failure.status === 401) setState((before) => (before.phase === "signed-out" ? before : { phase: "signed-out", notice: "session" in before ? OVER : "" }));
      else setState((before) => ("session" in before ? before : { phase: "unreachable", failure }));
    }
  }, [open]);

  const stay = useCallback(async () => {
    active.current.attendedAt = Date.now();
    await server.attend();
    await ask();
  }, [ask]);

  useEffect(() => {
    onSessionRefusal((why) =>
      setState((before) => {
        if (!("session" in before)) return before;
        return why === "session-locked" ? { ...before, phase: "locked" } : { phase: "signed-out", notice: OVER };
      }),
    );
    void ask();
  }, [ask]);

  const locksAt = state.phase === "open" ? Date.parse(state.session.locksAt) : null;
  useEffect(() => {
    if (locksAt === null) return;
    const did = () => {
      active.current.activeAt = Date.now();
    };
    const seen = () => {
      if (document.visibilityState === "visible") void ask();
    };
    const tick = () => {
      const step = idleStep({ locksAt, ...active.current }, Date.now());
      setLocksSoon(step === "warn");
      if (step === "attend") stay().catch(() => {});
      if (step === "ask") void ask();
    };
    const timer = setInterval(tick, 5_000);
    for (const name of ACTIVITY) addEventListener(name, did, { passive: true, capture: true });
    document.addEventListener("visibilitychange", seen);
    return () => {
      clearInterval(timer);
      for (const name of ACTIVITY) removeEventListener(name, did, { capture: true });
      document.removeEventListener("visibilitychange", seen);
    };
  }, [locksAt, ask, stay]);

  const actions = useMemo<SessionActions>(
    () => ({
      state,
      locksSoon: locksSoon && state.phase === "open",
      ask,
      stay,
      signIn: async (credentials) => {
        active.current.attendedAt = Date.now();
        open(await server.signIn(credentials));
      },
      unlock: async (password) => {
        active.current.attendedAt = Date.now();
        open(await server.unlock(password));
      },
      lock: async () => {
        await server.lock();
        await ask();
      },
      signOut: async () => {
        await server.signOut();
        close("You are signed out.");
      },
    }),
    [state, locksSoon, ask, stay, open, close],
  );
  return <SessionContext value={actions}>{children}</SessionContext>;
}

/** What tells that somebody sits before the page. */
const ACTIVITY = ["pointerdown", "keydown", "wheel", "touchstart"];
