/** @file What practitioners, clinics, services and payers are called. */

import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";

import { type Dimension, getMetric, type Metric } from "../api/figures.ts";
import { isNamed, type NamedDimension, type Names, namesOf, unnamed } from "../api/names.ts";

interface AllNames {
  /** Asks for the names of a dimension unless that was done. */
  want: (dimension: NamedDimension) => void;
  known: Partial<Record<NamedDimension, Names>>;
  metrics: Map<string, Metric>;
}

const NamesContext = createContext<AllNames | null>(null);

/** Keeps names for everything inside; each list is asked for once. */
export function NamesProvider({ metrics, children }: { metrics: Map<string, Metric>; children: ReactNode }) {
  const [known, setKnown] = useState<AllNames["known"]>({});
  const [wanted] = useState(() => new Set<NamedDimension>());
  const names = useMemo<AllNames>(
    () => ({
      known,
      metrics,
      want: (dimension) => {
        if (wanted.has(dimension)) return;
        wanted.add(dimension);
        void namesOf(dimension, { unattended: true }).then((found) => setKnown((before) => ({ ...before, [dimension]: found })));
      },
    }),
    [known, metrics, wanted],
  );
  return <NamesContext value={names}>{children}</NamesContext>;
}

function useAllNames(): AllNames {
  const names = useContext(NamesContext);
  if (!names) throw new Error("there is no NamesProvider around");
  return names;
}

/** What the values of a dimension are called, and whether that is not for the user's role. */
export function useNames(dimension: Dimension | undefined): { nameOf: (key: string) => string; refused: boolean } {
  const { known, want } = useAllNames();
  useEffect(() => {
    if (isNamed(dimension)) want(dimension);
  }, [dimension, want]);
  const names = isNamed(dimension) ? known[dimension] : undefined;
  const nameOf = useMemo(() => (key: string) => names?.byKey.get(key) ?? unnamed(dimension, key), [names, dimension]);
  return { nameOf, refused: names?.refused ?? false };
}

/** A clinic that one can choose. */
export interface Clinic {
  id: string;
  name: string;
}

/** The clinics that one can choose from; those that figures know of where there is no list of them. */
export function useClinics(): Clinic[] {
  const { known, want, metrics } = useAllNames();
  const [ids, setIds] = useState<string[]>([]);
  useEffect(() => want("clinic"), [want]);
  const list = known.clinic?.byKey;
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
