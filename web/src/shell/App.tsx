/** @file What is shown: the sign-in page, or the application with a lock before it. */

import { useEffect } from "react";

import { Dashboard } from "../dashboard/Dashboard.tsx";
import { LockWarning } from "../session/LockWarning.tsx";
import { useSession } from "../session/SessionProvider.tsx";
import { SignIn } from "../session/SignIn.tsx";
import { UnlockDialog } from "../session/UnlockDialog.tsx";
import { Header } from "./Header.tsx";
import { FailureNotice } from "./Notice.tsx";
import { titleOf, useRoute } from "./route.ts";

/** The whole page. */
export function App() {
  const { state, ask } = useSession();
  const route = useRoute();
  const signedIn = state.phase === "open" || state.phase === "locked";

  useEffect(() => {
    document.title = `${signedIn ? titleOf(route.section) : "Sign in"} – Patient Management System`;
  }, [signedIn, route.section]);

  switch (state.phase) {
    case "unknown":
      return <main className="centred" aria-busy="true" aria-label="Loading" />;
    case "unreachable":
      return (
        <main className="centred">
          <h1 className="visually-hidden">Patient Management System</h1>
          <FailureNotice failure={state.failure} onRetry={() => void ask()} />
        </main>
      );
    case "signed-out":
      return <SignIn notice={state.notice} />;
    default:
      // While it is locked everything stays in its place, and nobody sees or reaches it.
      return (
        <>
          <div className={state.phase === "locked" ? "application locked" : "application"} inert={state.phase === "locked"}>
            <a className="skip" href="#main" onClick={skip}>
              Skip to the figures
            </a>
            <Header session={state.session} />
            <main id="main" tabIndex={-1}>
              {state.session.scope === "enrol" ? <Enrol /> : <Dashboard route={route} suspended={state.phase === "locked"} />}
            </main>
          </div>
          <LockWarning />
          {state.phase === "locked" && <UnlockDialog session={state.session} />}
        </>
      );
  }
}

/** The address stays that of the place, so the link cannot be followed as others are. */
function skip(event: React.MouseEvent) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Enrol() {
  return (
    <div className="card">
      <h1>Your account is still to be set up</h1>
      <p>
        Before you see any figures it needs a password of your own and, for your role, a second factor. Ask whoever looks
        after the system to help you with it, then sign in again.
      </p>
    </div>
  );
}
