/** The system as the tests see it: synthesised once for each stage. */
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { Installation } from '../lib/installation.js';
import { type Stage, stageNamed } from '../lib/stage.js';
import { type System, addSystem } from '../lib/system.js';
import { readFileSync } from 'node:fs';

/** An account and a region that no deployment of the tests leaves. */
export const ENV = { account: '123456789012', region: 'eu-west-1' };

/** As `-c` would say it. */
export const INSTALLATION: Installation = {
  imageTag: '1.0.0',
  domainName: 'clinic.example',
  certificateArn: `arn:aws:acm:${ENV.region}:${ENV.account}:certificate/3c5e6f2a-0d27-4b43-9a0e-5a4d8f6b7c10`,
  timeZone: 'America/New_York',
  currency: 'USD',
};

/** The parts of a system, by their names. */
export const PARTS = ['network', 'data', 'platform', 'services', 'observability'] as const;

/** One of them. */
export type Part = (typeof PARTS)[number];

/** An app with the context that `cdk.json` gives it. */
export function newApp(outdir?: string): App {
  const { context } = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8')) as {
    context: Record<string, unknown>;
  };
  return new App({ context, analyticsReporting: false, ...(outdir && { outdir }) });
}

/** A system of a stage and its templates. */
export function synthesised(
  stage: Stage = stageNamed('production'),
  app = newApp(),
): System & { templates: Record<Part, Template> } {
  const system = addSystem(app, { stage, installation: INSTALLATION, env: ENV });
  const templates = Object.fromEntries(PARTS.map((part) => [part, Template.fromStack(system[part])]));
  return { ...system, templates: templates as Record<Part, Template> };
}
