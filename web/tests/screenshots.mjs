/** @file `npm run screenshots -- --url http://localhost:7400`: runs screenshots.ts, which Node itself may be too old to read. */

import { runnerImport } from "vite";

const { module } = await runnerImport(new URL("screenshots.ts", import.meta.url).pathname);
await module.take(process.argv.slice(2));
