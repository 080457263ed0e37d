/** @file Listens to what becomes another, and goes on listening through every break. */

import { type OverviewChange, type OverviewItem, STREAM } from "../api/figures.ts";
import { itemKey } from "./merge.ts";
import { type Link, pause, SILENCE } from "./status.ts";

/** What became another, for whoever shows it. */
export interface Told {
  change: OverviewChange;
  /** It is all that there is, and was asked for together with everything else on the page. */
  first: boolean;
  /** The stream has been away: whatever else is shown may be old. */
  afterBreak: boolean;
}

/** The stream of changes. The browser itself resumes one that broke, by `Last-Event-ID`. */
export class LiveStream {
  #source: EventSource | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  #broken = false;
  #link: Link = { open: false, since: Date.now(), heardAt: null };
  #told = new Set<(told: Told) => void>();
  #changed = new Set<() => void>();
  /** The newest of each figure of today, with the time when it was heard. */
  #newest = new Map<string, { item: OverviewItem; heardAt: number }>();
  readonly #refused: () => void;

  /** `refused` is called when the server refuses the stream: the session may be locked or over. */
  constructor(refused: () => void) {
    this.#refused = refused;
  }

  /** Begins to listen. */
  start(): void {
    addEventListener("online", this.#again);
    this.#link = { ...this.#link, since: Date.now() };
    this.#open();
  }

  /** Ceases to listen. */
  stop(): void {
    removeEventListener("online", this.#again);
    this.#close();
    this.#update({ open: false });
    this.#broken = this.#link.heardAt !== null;
  }

  /** What is known of the stream; the same object until it changes. */
  link = (): Link => this.#link;

  /** Calls `changed` whenever `link` has changed. */
  watch = (changed: () => void): (() => void) => {
    this.#changed.add(changed);
    return () => this.#changed.delete(changed);
  };

  /** Calls `told` with all that becomes another. */
  listen(told: (told: Told) => void): () => void {
    this.#told.add(told);
    return () => this.#told.delete(told);
  }

  /** Today's figures that were heard at or after a time: newer than an answer that was asked for then. */
  since(time: number): OverviewItem[] {
    return [...this.#newest.values()].filter(({ heardAt }) => heardAt >= time).map(({ item }) => item);
  }

  #open(): void {
    this.#close();
    const source = new EventSource(STREAM);
    this.#source = source;
    source.onopen = () => {
      this.#attempts = 0;
      this.#update({ open: true });
    };
    source.onerror = () => {
      this.#broken = true;
      this.#update({ open: false });
      // While it is connecting the browser tries again by itself; a refusal it takes for final.
      if (source.readyState !== EventSource.CLOSED) return;
      this.#refused();
      this.#openLater(pause(this.#attempts, Math.random()));
      this.#attempts += 1;
    };
    source.addEventListener("overview", (event: MessageEvent<string>) => this.#hear(JSON.parse(event.data) as OverviewChange));
    this.#openLater(SILENCE + 15_000);
  }

  #hear(change: OverviewChange): void {
    const heardAt = Date.now();
    for (const item of change.items) this.#newest.set(itemKey(item), { item, heardAt });
    const first = this.#link.heardAt === null;
    const afterBreak = this.#broken;
    this.#broken = false;
    this.#update({ open: true, heardAt });
    for (const told of this.#told) told({ change, first, afterBreak });
    this.#openLater(SILENCE + 15_000);
  }

  /** Opens it anew after a while, unless something is heard before. */
  #openLater(wait: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#again, wait);
  }

  #again = (): void => {
    this.#broken = this.#broken || this.#link.heardAt !== null;
    this.#open();
  };

  #close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #update(part: Partial<Link>): void {
    this.#link = { ...this.#link, ...part };
    for (const changed of this.#changed) changed();
  }
}
