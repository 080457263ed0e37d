/** @file The stream of changes, for everything inside. */

import { createContext, type ReactNode, useContext, useEffect, useRef, useState, useSyncExternalStore } from "react";

import { useSession } from "../session/SessionProvider.tsx";
import { LiveStream, type Told } from "./LiveStream.ts";
import { type Freshness, freshness } from "./status.ts";

const LiveContext = createContext<LiveStream | null>(null);

/** The stream itself. */
export function useLive(): LiveStream {
  const live = useContext(LiveContext);
  if (!live) throw new Error("there is no LiveProvider around");
  return live;
}

/** Listens while it is not suspended. What comes when a locked page is opened again tells all that has changed. */
export function LiveProvider({ suspended, children }: { suspended: boolean; children: ReactNode }) {
  const { ask } = useSession();
  const [live] = useState(() => new LiveStream(() => void ask()));
  const unseen = useUnseen();
  useEffect(() => {
    if (suspended || unseen) return;
    live.start();
    return () => live.stop();
  }, [live, suspended, unseen]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

/** A browser has six connections to a server, and each tab that listens holds one: a tab behind others lets go of it. */
const UNSEEN_FOR = 60_000;

/** Whether nobody has seen the page for a while. */
function useUnseen(): boolean {
  const [unseen, setUnseen] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      clearTimeout(timer);
      if (document.visibilityState === "visible") setUnseen(false);
      else timer = setTimeout(() => setUnseen(true), UNSEEN_FOR);
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
  return unseen;
}

/** How fresh the figures are, looked at every second. */
export function useFreshness(): { fresh: Freshness; now: number } {
  const live = useLive();
  const link = useSyncExternalStore(live.watch, live.link);
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const latest = Math.max(now, link.heardAt ?? 0);
  return { fresh: freshness(link, latest), now: latest };
}

/** Calls `told` with all that becomes another. */
export function useTold(told: (told: Told) => void): void {
  const live = useLive();
  const latest = useRef(told);
  useEffect(() => {
    latest.current = told;
  });
  useEffect(() => live.listen((heard) => latest.current(heard)), [live]);
}

/** What comes close together is one reason to ask anew. */
const TOGETHER = 1_500;
/** A chart is not asked for more often, however busy the clinic is. */
const APART = 10_000;

/** Calls `refresh` soon after one of the metrics has changed; `all` is for what shows every metric. */
export function useRefreshOnChange(metrics: readonly string[] | "all", refresh: () => void): void {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const last = useRef(0);
  const latest = useRef(refresh);
  useEffect(() => {
    latest.current = refresh;
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  useTold(({ change, first, afterBreak }) => {
    const changed = [...change.items.map((item) => item.metric), ...change.restated];
    const concerns = metrics === "all" ? changed.length > 0 : changed.some((metric) => metrics.includes(metric));
    if (first || (!concerns && !afterBreak) || timer.current !== undefined) return;
    const wait = Math.max(TOGETHER, last.current + APART - Date.now());
    timer.current = setTimeout(() => {
      timer.current = undefined;
      last.current = Date.now();
      latest.current();
    }, wait);
  });
}

/** When something was heard last, as long as it is wanted: what depends on it is made anew at once. */
export function useHeardAt(wanted: boolean): number {
  const live = useLive();
  return useSyncExternalStore(live.watch, () => (wanted ? (live.link().heardAt ?? 0) : 0));
}
