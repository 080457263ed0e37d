/** @file The switch between light and dark. */

import { useState } from "react";

import { chooseTheme, rememberedTheme, type Theme } from "./theme.ts";

const THEMES: Record<Theme, string> = { system: "System", light: "Light", dark: "Dark" };

/** Chooses light, dark, or what the system has. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState(rememberedTheme);
  const choose = (chosen: Theme) => {
    chooseTheme(chosen);
    setTheme(chosen);
  };
  return (
    <label className="field-inline">
      <span>Theme</span>
      <select value={theme} onChange={(event) => choose(event.target.value as Theme)}>
        {Object.entries(THEMES).map(([value, title]) => (
          <option key={value} value={value}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
