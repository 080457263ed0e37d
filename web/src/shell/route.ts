/** @file Which page is shown, by what follows `#` in the address. */

import { useSyncExternalStore } from "react";

import type { Topic } from "../api/figures.ts";

/** A section of the navigation. */
export type Section = "overview" | Topic;

/** A place in the application: `#/appointments/no-show-rate?by=clinic`. */
export interface Route {
  section: Section;
  /** The metric that is looked at, in a topic's section. */
  metric: string;
  parameters: URLSearchParams;
}

/** The sections, in the order of the navigation. */
export const SECTIONS: { section: Section; title: string }[] = [
  { section: "overview", title: "Overview" },
  { section: "patients", title: "Patients" },
  { section: "appointments", title: "Appointments" },
  { section: "services", title: "Services" },
  { section: "revenue", title: "Revenue" },
  { section: "claims", title: "Claims" },
];

/** The title of a section. */
export function titleOf(section: Section): string {
  return SECTIONS.find((each) => each.section === section)?.title ?? section;
}

/** Reads the part of an address after `#`; what is no place of ours is the overview. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [first = "", metric = ""] = path.split("/");
  const section = SECTIONS.find((each) => each.section === first)?.section ?? "overview";
  const name = section === "overview" || !/^[a-z0-9-]{1,64}$/.test(metric) ? "" : metric;
  return { section, metric: name, parameters: new URLSearchParams(query) };
}

/** The part of an address after `#` for a place; empty parameters are left out. */
export function hashOf(section: Section, metric = "", parameters: Record<string, string> = {}): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== "");
  const query = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
  return `#/${section === "overview" ? "" : section}${metric && `/${metric}`}${query}`;
}

/** The place that is shown now. */
export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => location.hash));
}

/** Goes on within a place: the step is not one that Back takes back. */
export function replaceRoute(hash: string): void {
  history.replaceState(null, "", hash);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

function subscribe(changed: () => void): () => void {
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
}
