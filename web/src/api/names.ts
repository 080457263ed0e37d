/** @file What things are called that figures only know by id or code. */

import type { Dimension } from "./figures.ts";
import { Failure } from "./problem.ts";
import { type Asking, get } from "./request.ts";

/** Dimensions whose values have names that somebody gave them. */
export type NamedDimension = Extract<Dimension, "clinic" | "practitioner" | "service" | "payer">;

/** Something as a list has it. */
export interface Listed {
  /** A payer says `payerId`, as every message of `billing` does. */
  id?: string;
  payerId?: string;
  name: string;
  /** What it is charged by; of a bookable service. */
  priceCode?: { code?: string };
}

/** What is known of the names of a dimension. */
export interface Names {
  /** By id; of services by code, too. */
  byKey: Map<string, string>;
  /** They are not for the user's role. */
  refused: boolean;
}

const PATHS: Record<NamedDimension, string> = {
  clinic: "/api/clinics",
  practitioner: "/api/practitioners",
  service: "/api/services",
  payer: "/api/billing/payers",
};

/** Nobody reads a list that is longer; what is beyond it is shown by a code. */
const PAGES = 10;

/** All names of a dimension, as far as the user may see them and they can be had: a figure without its name is still a figure. */
export async function namesOf(dimension: NamedDimension, asking?: Asking): Promise<Names> {
  const listed: Listed[] = [];
  try {
    let cursor = "";
    for (let page = 0; page < PAGES; page += 1) {
      const path: string = `${PATHS[dimension]}?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
      const answer: { items: Listed[]; next?: string | null } = await get(path, asking);
      listed.push(...answer.items);
      if (!answer.next) break;
      cursor = answer.next;
    }
  } catch (error) {
    return { byKey: byKey(listed), refused: error instanceof Failure && error.status === 403 };
  }
  return { byKey: byKey(listed), refused: false };
}

/** Names by id, and by the code that one name alone is charged by: what was booked is told by id, what was done by code. */
export function byKey(listed: Listed[]): Map<string, string> {
  const names = new Map<string, string>();
  const byCode = new Map<string, Set<string>>();
  for (const { id, payerId, name, priceCode } of listed) {
    const key = payerId ?? id;
    if (key) names.set(key, name);
    if (priceCode?.code) byCode.set(priceCode.code, (byCode.get(priceCode.code) ?? new Set()).add(name));
  }
  for (const [code, [name, ...others]] of byCode) if (name && others.length === 0) names.set(code, `${name} (${code})`);
  return names;
}

/** Whether the values of a dimension have names that can be asked for. */
export function isNamed(dimension: Dimension | undefined): dimension is NamedDimension {
  return dimension !== undefined && dimension in PATHS;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TITLES: Record<NamedDimension, string> = { clinic: "Clinic", practitioner: "Practitioner", service: "Service", payer: "Payer" };
/** I and O are taken for digits. */
const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ";

/** What is shown for a value that has no name here. */
export function unnamed(dimension: Dimension | undefined, key: string): string {
  if (dimension === "payer" && key === "patient") return "Patients themselves";
  if (dimension === "age") return `${key.replace("-", "–")} days`;
  if (dimension === "family") return `${key.charAt(0).toUpperCase()}${key.slice(1)}`.replaceAll("-", " ");
  if (!key && dimension) return `No ${dimension}`;
  if (!UUID.test(key)) return key;
  return isNamed(dimension) ? `${TITLES[dimension]} ${codeOf(key)}` : codeOf(key);
}

/**
 * A code such as `K417` that stands for an id. It is made of the id alone, so that it is the same on every page and next month, whoever
 * comes or goes; of forty ids, two have the same once in thirty times.
 */
export function codeOf(id: string): string {
  const number = BigInt(`0x${id.replaceAll("-", "")}`);
  const letters = BigInt(LETTERS.length);
  return `${LETTERS[Number(number % letters)]}${String((number / letters) % 1000n).padStart(3, "0")}`;
}
