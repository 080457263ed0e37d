/** @file What practitioners, clinics, services and payers are called. */

import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";

import { type Dimension, getMetric, type Metric } from "../api/figures.ts";
import { isNamed, listNamed, type Named, type NamedDimension } from "../api/names.ts";

interface Names {
  /** The names that are known, and asks for those that are not. */
  want: (dimension: NamedDimension) => void;
  known: Partial<Record<NamedDimension, Map<string, string>>>;
  metrics: Map<string, Metric>;
}

const NamesContext = createContext<Names | null>(null);

/** Keeps names for everything inside; each list is asked for once. */
export function NamesProvider({ metrics, children }: { metrics: Map<string, Metric>; children: ReactNode }) {
  const [known, setKnown] = useState<Names["known"]>({});
  const [wanted] = useState(() => new Set<NamedDimension>());
  const names = useMemo<Names>(
    () => ({
      known,
      metrics,
      want: (dimension) => {
        if (wanted.has(dimension)) return;
        wanted.add(dimension);
        // Whoever may not see the names sees short ids, which is no failure.
        listNamed(dimension, { unattended: true }).then(
          (named) => setKnown((before) => ({ ...before, [dimension]: new Map(named.map(({ id, name }) => [id, name])) })),
          () => setKnown((before) => ({ ...before, [dimension]: new Map() })),
        );
      },
    }),
    [known, metrics, wanted],
  );
  return <NamesContext value={names}>{children}</NamesContext>;
}

function useNames(): Names {
  const names = useContext(NamesContext);
  if (!names) throw new Error("there is no NamesProvider around");
  return names;
}

/** What the values of a dimension are called. */
export function useNameOf(dimension: Dimension | undefined): (key: string) => string {
  const { known, want } = useNames();
  useEffect(() => {
    if (isNamed(dimension)) want(dimension);
  }, [dimension, want]);
  const list = isNamed(dimension) ? known[dimension] : undefined;
  return useMemo(() => (key: string) => list?.get(key) ?? unnamed(dimension, key), [list, dimension]);
}

/** The clinics that one can choose from; by their ids where their names may not be seen. */
export function useClinics(): Named[] {
  const { known, want, metrics } = useNames();
  const [ids, setIds] = useState<string[]>([]);
  useEffect(() => want("clinic"), [want]);
  const list = known.clinic;
  const nameless = list?.size === 0;
  useEffect(() => {
    const metric = nameless && [...metrics.values()].find((each) => each.dimensions.includes("clinic"));
    if (!metric) return;
    getMetric(metric.metric, { by: "clinic", group: metric.finest === "month" ? "month" : "day" }, { unattended: true }).then(
      ({ series }) => setIds(series.map(({ key }) => key).filter(Boolean)),
      () => {},
    );
  }, [nameless, metrics]);
  return useMemo(() => {
    if (list && list.size > 0) return [...list].map(([id, name]) => ({ id, name }));
    return ids.map((id) => ({ id, name: unnamed("clinic", id) }));
  }, [list, ids]);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-/i;

/** Something short for what has no name here. */
export function unnamed(dimension: Dimension | undefined, key: string): string {
  if (dimension === "payer" && key === "patient") return "Patients themselves";
  if (dimension === "age") return `${key.replace("-", "–")} days`;
  if (dimension === "family") return `${key.charAt(0).toUpperCase()}${key.slice(1)}`.replaceAll("-", " ");
  return UUID.test(key) ? `${dimension ?? ""} ${key.slice(0, 8)}…`.trim() : key;
}
