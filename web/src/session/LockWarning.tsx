/** @file Says that the page is about to be locked, while there is time to keep it open. */

import { useSession } from "./SessionProvider.tsx";

/** A banner with the one button that keeps the page open; any other key or click does, too. */
export function LockWarning() {
  const { locksSoon, stay } = useSession();
  return (
    <div className="lock-warning" role="status">
      {locksSoon && (
        <div className="banner">
          <p>Nobody has used this page for a while: it will be locked in about a minute.</p>
          <button type="button" onClick={() => void stay().catch(() => {})}>
            Stay signed in
          </button>
        </div>
      )}
    </div>
  );
}
