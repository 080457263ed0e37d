/** @file What things are called that figures only know by id. */

import type { Dimension } from "./figures.ts";
import { type Asking, get } from "./request.ts";

/** Something with an id and a name. */
export interface Named {
  id: string;
  name: string;
}

/** Dimensions whose values have names that somebody gave them. */
export type NamedDimension = Extract<Dimension, "clinic" | "practitioner" | "service" | "payer">;

const PATHS: Record<NamedDimension, string> = {
  clinic: "/api/clinics",
  practitioner: "/api/practitioners",
  service: "/api/services",
  payer: "/api/billing/payers",
};

/** Nobody reads a list that is longer; what is beyond it is shown by its id. */
const PAGES = 10;

/** All that have a name. An analyst may not ask, and is answered 403. */
export async function listNamed(dimension: NamedDimension, asking?: Asking): Promise<Named[]> {
  const named: Named[] = [];
  let cursor = "";
  for (let page = 0; page < PAGES; page += 1) {
    const path: string = `${PATHS[dimension]}?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const answer: { items: Named[]; next?: string | null } = await get(path, asking);
    named.push(...answer.items.map(({ id, name }) => ({ id, name })));
    if (!answer.next) break;
    cursor = answer.next;
  }
  return named;
}

/** Whether the values of a dimension have names that can be asked for. */
export function isNamed(dimension: Dimension | undefined): dimension is NamedDimension {
  return dimension !== undefined && dimension in PATHS;
}
