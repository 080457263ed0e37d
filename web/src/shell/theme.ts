/** @file Light or dark: as the system has it, unless the user chose. Nothing else is ever remembered in the browser. */

/** What the user may choose. */
export type Theme = "system" | "light" | "dark";

const KEY = "theme";

/** What was chosen last. A browser that remembers nothing follows the system. */
export function rememberedTheme(): Theme {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === "light" || theme === "dark" ? theme : "system";
  } catch {
    return "system";
  }
}

/** Remembers the choice and shows it. */
export function chooseTheme(theme: Theme): void {
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // It holds until the page is left.
  }
  applyTheme(theme);
}

/** Shows a theme; charts, which are drawn and not styled, are told by an event. */
export function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  dispatchEvent(new Event("themechange"));
}
