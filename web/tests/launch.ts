/** @file How the browser is started. */

const ARGUMENTS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

/** Where it is, when nothing else is said. */
export const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** What playwright is told. */
export const LAUNCH = { executablePath: CHROMIUM, args: ARGUMENTS.split(" ") };
