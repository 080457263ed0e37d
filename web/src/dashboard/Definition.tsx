/** @file What a figure means, at hand beside it. */

import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";

import type { Metric } from "../api/figures.ts";

/** A button that shows what is counted, at which moment, and what is divided by what. */
export function Definition({ metrics, about }: { metrics: Metric[]; about: string }) {
  const [open, setOpen] = useState(false);
  const around = useRef<HTMLDivElement>(null);
  const id = useId();

  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (!around.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);

  const close = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation();
    setOpen(false);
    around.current?.querySelector("button")?.focus();
  };

  if (metrics.length === 0) return null;
  return (
    <div className="definition" ref={around} onKeyDown={close}>
      <button type="button" className="definition-button" aria-expanded={open} aria-controls={id} aria-label={`What is counted: ${about}`} onClick={() => setOpen(!open)}>
        <span aria-hidden="true">i</span>
      </button>
      <div className="definition-text" id={id} role="note" hidden={!open}>
        {metrics.map((metric) => (
          <p key={metric.metric}>
            {(metrics.length > 1 || metric.title !== about) && <b>{metric.title}: </b>}
            {metric.definition}
          </p>
        ))}
      </div>
    </div>
  );
}
