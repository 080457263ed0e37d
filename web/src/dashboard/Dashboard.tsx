/** @file The figures of the clinic: what all its pages have in common. */

import { type ReactNode, useMemo } from "react";

import { getOverview, listMetrics, type Metric, type Overview, type Period } from "../api/figures.ts";
import { type Answer, useAnswer } from "../api/useAnswer.ts";
import { dateIn } from "../format/time.ts";
import { LiveProvider, useHeardAt, useLive, useRefreshOnChange, useTold } from "../live/LiveProvider.tsx";
import { isOfToday, isOver, mergeItems } from "../live/merge.ts";
import { FailureNotice } from "../shell/Notice.tsx";
import { hashOf, replaceRoute, type Route, titleOf } from "../shell/route.ts";
import { OverviewPage } from "./OverviewPage.tsx";
import { Announcer } from "./Announcer.tsx";
import { NamesProvider } from "./NamesProvider.tsx";
import { TopicPage } from "./TopicPage.tsx";
import { Toolbar } from "./Toolbar.tsx";

/** What every part of the page knows. */
export interface Scene {
  metrics: Map<string, Metric>;
  period: Period;
  clinicId: string;
  /** Not there until the overview is. */
  timeZone: string | undefined;
  /** The date at the clinic; empty until its zone is known. */
  today: string;
  overview: Answer<Overview>;
}

/** The page for a place, with its stream. */
export function Dashboard({ route, suspended }: { route: Route; suspended: boolean }) {
  return (
    <LiveProvider suspended={suspended}>
      <Page route={route} />
    </LiveProvider>
  );
}

function Page({ route }: { route: Route }) {
  const asked = route.parameters.get("period");
  const period: Period = asked === "week" || asked === "month" ? asked : "day";
  const clinicId = route.parameters.get("clinic") ?? "";
  const metrics = useAnswer("metrics", listMetrics);
  const overview = useOverview(period, clinicId);
  const byName = useMemo(() => new Map(metrics.data?.map((metric) => [metric.metric, metric])), [metrics.data]);

  const timeZone = overview.data?.timeZone;
  const today = timeZone ? dateIn(timeZone, Date.now()) : "";
  const scene: Scene = { metrics: byName, period, clinicId, timeZone, today, overview };
  const choose = (name: string, value: string) => {
    replaceRoute(hashOf(route.section, route.metric, { ...Object.fromEntries(route.parameters), [name]: value }));
  };

  let content: ReactNode;
  // Without the list of metrics nothing can be told apart, and whoever may not see that sees no figure either.
  if (metrics.failure && !metrics.data) content = <FailureNotice failure={metrics.failure} onRetry={metrics.refresh} retrying={metrics.busy} />;
  else if (route.section === "overview") content = <OverviewPage scene={scene} loading={!metrics.data} />;
  else content = <TopicPage key={route.section} scene={scene} route={route} topic={route.section} loading={!metrics.data} />;

  return (
    <NamesProvider metrics={byName}>
      <Toolbar title={titleOf(route.section)} scene={scene} choose={choose} />
      <Announcer metrics={byName} shown={isShownLive(scene)} />
      {content}
    </NamesProvider>
  );
}

function isShownLive({ overview, clinicId }: Scene): boolean {
  return overview.data !== undefined && isOfToday(overview.data, clinicId);
}

/** The overview, kept up to date: today's by what the stream says, any other by asking anew. */
function useOverview(period: Period, clinicId: string): Answer<Overview> {
  const live = useLive();
  const answer = useAnswer(`${period} ${clinicId}`, (asking) => getOverview({ period, clinicId }, asking));
  useRefreshOnChange("all", () => answer.refresh(true));
  useTold(({ change }) => {
    if (answer.data && isOver(answer.data, change.time) && !answer.busy) answer.refresh(true);
  });
  // What was heard since it was asked for is newer, also where the answer came later.
  const { data, askedAt } = answer;
  const heardAt = useHeardAt(data !== undefined && data.period === period && isOfToday(data, clinicId));
  const merged = useMemo(() => (data && heardAt ? mergeItems(data, live.since(askedAt)) : data), [data, askedAt, heardAt, live]);
  return { ...answer, data: merged };
}
