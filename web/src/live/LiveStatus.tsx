/** @file Says how fresh the figures are. */

import { ago, formatClock } from "../format/time.ts";
import { useFreshness } from "./LiveProvider.tsx";

const NAMES = { connecting: "Connecting…", live: "Live", reconnecting: "Reconnecting…", stale: "Stale" };

/** How fresh the figures are. Only a change of it is read out, not each second. */
export function LiveStatus({ timeZone }: { timeZone: string | undefined }) {
  const { fresh, now } = useFreshness();
  let state = NAMES[fresh.kind];
  if (fresh.kind === "stale") state = fresh.since === null ? "No live figures" : `Stale since ${formatClock(fresh.since, timeZone)}`;
  return (
    <p className={`live live-${fresh.kind}`}>
      <span role="status">
        <span className="live-dot" aria-hidden="true" />
        {state}
      </span>
      {"heardAt" in fresh && <span className="fine">updated {ago(now - fresh.heardAt)}</span>}
    </p>
  );
}
