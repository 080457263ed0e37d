/** @file An answer of the server, as a component sees it. */

import { useCallback, useEffect, useRef, useState } from "react";

import type { Failure } from "./problem.ts";
import { type Asking, failureFrom } from "./request.ts";

/** What is known of an answer. While it is asked for anew, the one before stays. */
export interface Answer<T> {
  data: T | undefined;
  failure: Failure | null;
  busy: boolean;
  /** When what is shown was asked for. */
  askedAt: number;
  /** Asks anew, for the user or, unattended, for the page itself. */
  refresh: (unattended?: boolean) => void;
}

/** Asks whenever `key`, which says what is asked for, becomes another; never for an empty one. */
export function useAnswer<T>(key: string, load: (asking: Asking) => Promise<T>): Answer<T> {
  const [known, setKnown] = useState<{ data: T | undefined; failure: Failure | null; askedAt: number }>({ data: undefined, failure: null, askedAt: 0 });
  const [busy, setBusy] = useState(false);
  const under = useRef<AbortController | null>(null);
  const loading = useRef(load);
  useEffect(() => {
    loading.current = load;
  });

  const refresh = useCallback((unattended = false) => {
    under.current?.abort();
    const controller = new AbortController();
    under.current = controller;
    const askedAt = Date.now();
    setBusy(true);
    loading.current({ unattended, signal: controller.signal }).then(
      (data) => {
        if (controller.signal.aborted) return;
        setKnown({ data, failure: null, askedAt });
        setBusy(false);
      },
      (error: unknown) => {
        const failure = failureFrom(error);
        if (controller.signal.aborted || !failure) return;
        // What the page asked by itself leaves what is shown; the status says how old it is.
        setKnown((before) => (unattended && before.data !== undefined ? before : { ...before, failure }));
        setBusy(false);
      },
    );
  }, []);

  useEffect(() => {
    if (!key) return;
    refresh();
    return () => under.current?.abort();
  }, [key, refresh]);

  return { ...known, busy, refresh };
}
