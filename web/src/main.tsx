/** @file Where the page begins. */

import "uplot/dist/uPlot.min.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/dashboard.css";
import "./styles/charts.css";
import "./styles/print.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { SessionProvider } from "./session/SessionProvider.tsx";
import { App } from "./shell/App.tsx";
import { Crash } from "./shell/Crash.tsx";
import { applyTheme, rememberedTheme } from "./shell/theme.ts";

applyTheme(rememberedTheme());

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <Crash>
      <SessionProvider>
        <App />
      </SessionProvider>
    </Crash>
  </StrictMode>,
);
