/** @file The head of every page: where one can go, who is signed in, and the ways out. */

import { useState } from "react";

import { explain, Failure } from "../api/problem.ts";
import { failureFrom } from "../api/request.ts";
import type { Session } from "../session/session.ts";
import { useSession } from "../session/SessionProvider.tsx";
import { hashOf, SECTIONS, useRoute } from "./route.ts";
import { ThemeSwitch } from "./ThemeSwitch.tsx";

/** The head of every page. */
export function Header({ session }: { session: Session }) {
  const { lock, signOut } = useSession();
  const { section, parameters } = useRoute();
  // What everything is about goes along; what one chart is about does not.
  const kept = { period: parameters.get("period") ?? "", clinic: parameters.get("clinic") ?? "" };
  const [failure, setFailure] = useState<Failure | null>(null);
  const attempt = (action: () => Promise<void>) => {
    setFailure(null);
    action().catch((error: unknown) => setFailure(failureFrom(error)));
  };
  return (
    <header className="header">
      <div className="header-line">
        <p className="brand">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M3 18h7l4-9 6 15 4-6h5" />
          </svg>
          Patient Management
        </p>
        <div className="account">
          <ThemeSwitch />
          <p className="who">
            <span className="visually-hidden">Signed in as </span>
            <span className="email">{session.user.email}</span>
            <span className="role">{session.user.role.replaceAll("-", " ")}</span>
          </p>
          <button type="button" onClick={() => attempt(lock)}>
            Lock
          </button>
          <button type="button" onClick={() => attempt(signOut)}>
            Sign out
          </button>
        </div>
      </div>
      <nav aria-label="Sections">
        <ul>
          {SECTIONS.map((each) => (
            <li key={each.section}>
              <a href={hashOf(each.section, "", kept)} aria-current={each.section === section ? "page" : undefined}>
                {each.title}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div role="status">
        {failure && (
          <p className="banner">
            That did not work, and you are still signed in. {explain(failure).detail}
          </p>
        )}
      </div>
    </header>
  );
}
