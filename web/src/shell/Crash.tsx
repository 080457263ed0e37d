/** @file What is shown when the page itself fails. */

import { Component, type ReactNode } from "react";

/** Catches what goes wrong while anything inside is drawn. */
export class Crash extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <main className="centred">
        <div className="card" role="alert">
          <h1>This page has failed</h1>
          <p>Nothing is lost: load it again to go on where you were.</p>
          <button type="button" className="primary" onClick={() => location.reload()}>
            Load again
          </button>
        </div>
      </main>
    );
  }
}
