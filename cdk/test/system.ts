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
export type Synthesised = System & { readonly templates: Record<Part, Template> };

const made = new Map<string, Synthesised>();

/** The system of a stage, made once for all who only look at it. */
export function synthesised(stage: Stage = stageNamed('production')): Synthesised {
  const known = made.get(stage.name);
  if (known) return known;
  const system = addSystem(newApp(), { stage, installation: INSTALLATION, env: ENV });
  const templates = Object.fromEntries(PARTS.map((part) => [part, Template.fromStack(system[part])]));
  const fresh = { ...system, templates: templates as Record<Part, Template> };
  made.set(stage.name, fresh);
  return fresh;
}

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  // A template is JSON without a schema here; what a test reads of it, it checks.
  readonly Properties: Record<string, any>;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: readonly string[];
}

/** The resources of a type, by their ids. */
export function resources(template: Template, type: string): Record<string, Resource> {
  return template.findResources(type) as Record<string, Resource>;
}

/** A container of a task. */
export interface Container {
  readonly Name: string;
  readonly Command?: readonly string[];
  readonly EntryPoint?: readonly string[];
  readonly Environment?: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Secrets?: readonly { readonly Name: string; readonly ValueFrom: unknown }[];
  readonly DependsOn?: readonly { readonly ContainerName: string; readonly Condition: string }[];
  readonly [property: string]: unknown;
}

/** The containers of a task, by the end of its family's name, such as `patient`. */
export function containers(template: Template, family: string): Record<string, Container> {
  const tasks = Object.values(resources(template, 'AWS::ECS::TaskDefinition'));
  const task = tasks.find(({ Properties }) => String(Properties['Family']).endsWith(`-${family}`));
  if (!task) throw new Error(`there is no task ${family}`);
  const all = task.Properties['ContainerDefinitions'] as Container[];
  return Object.fromEntries(all.map((container) => [container.Name, container]));
}

/** A part of a template as text, for what must not be anywhere in it. */
export function text(part: unknown): string {
  return JSON.stringify(part);
}
