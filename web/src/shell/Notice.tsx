/** @file What stands in the place of something that cannot be shown. */

import { explain, type Failure } from "../api/problem.ts";

/** A failure in words, and the button to try again. */
export function FailureNotice({ failure, onRetry, retrying = false }: { failure: Failure; onRetry: () => void; retrying?: boolean }) {
  const { title, detail } = explain(failure);
  return (
    <div className="notice" role="alert">
      <p className="notice-title">{title}</p>
      <p>{detail}</p>
      <button type="button" onClick={onRetry} aria-disabled={retrying}>
        {retrying ? "Trying…" : "Retry"}
      </button>
      {failure.status >= 500 && failure.requestId && <p className="fine">Reference {failure.requestId}</p>}
    </div>
  );
}

/** There is nothing to show, and that is no failure. */
export function Empty({ children }: { children: string }) {
  return <p className="notice empty">{children}</p>;
}
