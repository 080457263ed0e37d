/** @file What stands before a locked page. */

import { type FormEvent, useEffect, useId, useRef, useState } from "react";

import { explain, type Failure, waitInWords } from "../api/problem.ts";
import { failureFrom } from "../api/request.ts";
import type { Session } from "./session.ts";
import { useSession } from "./SessionProvider.tsx";

function refusal(failure: Failure): string {
  if (failure.status === 422) return "That is not your password.";
  if (failure.slug === "too-many-tries") return `Too many tries have failed. Wait ${waitInWords(failure.retryAfter)} before the next.`;
  return explain(failure).detail;
}

/** Asks for the password, or lets the user go. The focus goes back to where it was. */
export function UnlockDialog({ session }: { session: Session }) {
  const { unlock, signOut } = useSession();
  const dialog = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const titleId = useId();
  const errorId = useId();
  // What is behind the dialog loses the focus as soon as it is drawn.
  const [before] = useState(() => document.activeElement);

  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    element.showModal();
    // Some browsers close it at the second Escape whatever the page says.
    const reopen = () => element.isConnected && element.showModal();
    element.addEventListener("close", reopen);
    return () => {
      element.removeEventListener("close", reopen);
      element.close();
      if (before instanceof HTMLElement) requestAnimationFrame(() => before.focus({ preventScroll: true }));
    };
  }, [before]);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget;
    const password = String(new FormData(form).get("password") ?? "");
    if (!password) {
      setError("Enter your password.");
      return;
    }
    setBusy(true);
    setError("");
    try {
      await unlock(password);
    } catch (thrown) {
      const failure = failureFrom(thrown);
      if (failure) setError(refusal(failure));
      setBusy(false);
      form.reset();
      form.querySelector("input")?.focus();
    }
  };

  const leave = () => {
    signOut().catch((thrown: unknown) => {
      const failure = failureFrom(thrown);
      if (failure) setError(explain(failure).detail);
    });
  };

  return (
    <dialog className="unlock" ref={dialog} aria-labelledby={titleId} onCancel={(event) => event.preventDefault()}>
      <form className="card" onSubmit={submit} noValidate>
        <h2 id={titleId}>Locked</h2>
        <p>
          Enter the password of <strong>{session.user.email}</strong> to go on where you were.
        </p>
        <input type="hidden" name="username" autoComplete="username" value={session.user.email} readOnly />
        <label className="field">
          <span>Password</span>
          <input name="password" type="password" autoComplete="current-password" autoFocus aria-invalid={Boolean(error)} aria-describedby={error ? errorId : undefined} />
        </label>
        <p className="error" id={errorId} role="alert">
          {error}
        </p>
        <div className="actions">
          <button type="submit" className="primary" aria-disabled={busy}>
            {busy ? "Unlocking…" : "Unlock"}
          </button>
          <button type="button" onClick={leave}>
            Sign out
          </button>
        </div>
      </form>
    </dialog>
  );
}
