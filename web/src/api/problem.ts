/** @file What went wrong, as the server says it (RFC 9457), and in words for whoever sits before the page. */

/** Types that the page tells apart are these, followed by a name. */
const URN = "urn:patient-management:problem:";

/** Why a request has no answer to use. */
export class Failure extends Error {
  /** 0 when the server was not reached. */
  readonly status: number;
  /** The last part of the problem's type, such as `session-locked`; empty when it has none. */
  readonly slug: string;
  /** Seconds until it is worth another try. */
  readonly retryAfter: number | undefined;
  /** What the log of the server calls the request. */
  readonly requestId: string | undefined;

  constructor(status: number, slug = "", retryAfter?: number, requestId?: string) {
    super(slug || `status ${status}`);
    this.name = "Failure";
    this.status = status;
    this.slug = slug;
    this.retryAfter = retryAfter;
    this.requestId = requestId;
  }
}

/** Reads an answer that is no success. A body that is no problem object, of a proxy say, leaves its status. */
export async function failureOf(response: Response): Promise<Failure> {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  let slug = "";
  if (response.headers.get("content-type")?.includes("json")) {
    const body: unknown = await response.json().catch(() => undefined);
    const type = typeof body === "object" && body !== null && "type" in body ? body.type : undefined;
    if (typeof type === "string" && type.startsWith(URN)) slug = type.slice(URN.length);
  }
  const requestId = response.headers.get("x-request-id") ?? undefined;
  return new Failure(response.status, slug, Number.isFinite(seconds) ? seconds : undefined, requestId);
}

/** A failure in words: what happened, and what to do about it. */
export interface Explanation {
  title: string;
  detail: string;
}

/** What a panel says in place of its figures. */
export function explain(failure: Failure): Explanation {
  switch (failure.status) {
    case 0:
      return {
        title: "No connection",
        detail: "This computer cannot reach the clinic’s server. Check the network, then try again.",
      };
    case 401:
      return { title: "Signed out", detail: "Sign in again to see these figures." };
    case 403:
      return {
        title: "Not for your role",
        detail: "Your role may not see these figures. Ask an administrator if you need them.",
      };
    case 404:
      return { title: "Not available", detail: "This server does not count that yet." };
    case 408:
    case 502:
    case 503:
    case 504:
      return {
        title: "Not available at the moment",
        detail: "A part of the system does not answer. Nothing is lost; try again in a moment.",
      };
    case 422:
      return { title: "Nothing to show", detail: "These figures cannot be told for what was chosen. Choose another period or grouping." };
    case 429:
      return { title: "Too many requests", detail: `Wait ${waitInWords(failure.retryAfter)}, then try again.` };
    default:
      return {
        title: "Something went wrong",
        detail: "The fault is on the server’s side. Try again; if it stays, tell whoever looks after the system.",
      };
  }
}

/** `90` is "2 minutes". */
export function waitInWords(seconds: number | undefined): string {
  if (seconds === undefined) return "a moment";
  if (seconds < 60) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  const minutes = Math.ceil(seconds / 60);
  return minutes === 1 ? "1 minute" : `${minutes} minutes`;
}
