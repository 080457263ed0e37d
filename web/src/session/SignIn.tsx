/** @file The page where one signs in. */

import { type FormEvent, useEffect, useId, useRef, useState } from "react";

import { explain, type Failure, waitInWords } from "../api/problem.ts";
import { failureFrom } from "../api/request.ts";
import { useSession } from "./SessionProvider.tsx";

/** What a refused sign-in says. */
function refusal(failure: Failure, askedForCode: boolean): string {
  switch (failure.slug) {
    case "invalid-credentials":
      return askedForCode ? "The e-mail address, the password or the code is wrong." : "The e-mail address or the password is wrong.";
    case "too-many-tries":
      return `Too many tries have failed. Wait ${waitInWords(failure.retryAfter)} before the next.`;
    default:
      if (failure.status === 429) return "Too many people are signing in at once. Try again in a moment.";
      if (failure.status === 422) return "Check the e-mail address and the password.";
      return explain(failure).detail;
  }
}

/** Signs in, and asks for the second factor when the account has one. */
export function SignIn({ notice }: { notice: string }) {
  const { signIn } = useSession();
  const [needsCode, setNeedsCode] = useState(false);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const errorId = useId();
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    const first = needsCode ? "otp" : "email";
    form.current?.querySelector<HTMLInputElement>(`[name=${first}]`)?.focus();
  }, [needsCode]);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const data = new FormData(event.currentTarget);
    const text = (name: string) => String(data.get(name) ?? "");
    const otp = text("otp").replaceAll(" ", "");
    const email = text("email").trim();
    if (!email || !text("password") || (needsCode && !otp)) {
      setError(needsCode ? "Enter the code, too." : "Enter your e-mail address and your password.");
      return;
    }
    setBusy(true);
    setError("");
    try {
      await signIn({ email, password: text("password"), ...(otp && { otp }) });
    } catch (thrown) {
      const failure = failureFrom(thrown);
      setBusy(false);
      if (failure?.slug === "otp-required") setNeedsCode(true);
      else if (failure) setError(refusal(failure, needsCode));
    }
  };

  const described = error ? errorId : undefined;
  return (
    <main className="centred sign-in">
      <form className="card" ref={form} onSubmit={submit} noValidate>
        <p className="brand">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M3 18h7l4-9 6 15 4-6h5" />
          </svg>
          Patient Management
        </p>
        <h1>Sign in</h1>
        {notice && <p role="status">{notice}</p>}
        <label className="field">
          <span>E-mail address</span>
          <input name="email" type="email" autoComplete="username" autoCapitalize="none" spellCheck={false} aria-invalid={Boolean(error)} aria-describedby={described} />
        </label>
        <label className="field">
          <span>Password</span>
          <input name="password" type="password" autoComplete="current-password" aria-invalid={Boolean(error)} aria-describedby={described} />
        </label>
        {needsCode && (
          <label className="field">
            <span>Code of your second factor, or a recovery code</span>
            <input name="otp" inputMode="text" autoComplete="one-time-code" autoCapitalize="none" spellCheck={false} aria-invalid={Boolean(error)} aria-describedby={described} />
          </label>
        )}
        <p className="error" id={errorId} role="alert">
          {error}
        </p>
        <button type="submit" className="primary" aria-disabled={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
      </form>
    </main>
  );
}
