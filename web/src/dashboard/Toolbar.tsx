/** @file The title of a page, and what all of it is about: which period, which clinic, how fresh. */

import { useId } from "react";

import type { Period } from "../api/figures.ts";
import { dateIn, formatGroup } from "../format/time.ts";
import { LiveStatus } from "../live/LiveStatus.tsx";
import type { Scene } from "./Dashboard.tsx";
import { useClinics } from "./NamesProvider.tsx";

const PERIODS: { period: Period; title: string }[] = [
  { period: "day", title: "Today" },
  { period: "week", title: "This week" },
  { period: "month", title: "This month" },
];

/** What all of the page is about. */
export function Toolbar({ title, scene, choose }: { title: string; scene: Scene; choose: (name: string, value: string) => void }) {
  const clinics = useClinics();
  const name = useId();
  const { overview, period, clinicId, timeZone } = scene;
  const shown = overview.data;
  return (
    <div className="toolbar">
      <div className="toolbar-title">
        <h1>{title}</h1>
        <p className="fine">{shown && timeZone ? `${formatGroup(shown.from, shown.period, timeZone, "full")} · ${timeZone.replaceAll("_", " ")}` : "\u00a0"}</p>
      </div>
      <LiveStatus timeZone={timeZone} />
      <fieldset className="segments">
        <legend className="visually-hidden">Period</legend>
        {PERIODS.map((each) => (
          <label key={each.period}>
            <input type="radio" name={name} checked={each.period === period} onChange={() => choose("period", each.period === "day" ? "" : each.period)} />
            <span>{each.title}</span>
          </label>
        ))}
      </fieldset>
      {(clinics.length > 1 || clinicId !== "") && (
        <label className="field-inline">
          <span>Clinic</span>
          <select value={clinicId} onChange={(event) => choose("clinic", event.target.value)}>
            <option value="">All clinics</option>
            {clinics.map((clinic) => (
              <option key={clinic.id} value={clinic.id}>
                {clinic.name}
              </option>
            ))}
          </select>
        </label>
      )}
      {timeZone && <p className="print-only fine">Printed {dateIn(timeZone, Date.now())}</p>}
    </div>
  );
}
