/** The rules of AwsSolutions and HIPAA hold, but for what is acknowledged with a reason. */
import { Stack, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks, HIPAASecurityChecks } from 'cdk-nag';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { type Stage, stageNamed } from '../lib/stage.js';
import { addSystem } from '../lib/system.js';
import { ENV, INSTALLATION, newApp } from './system.js';

interface Report {
  readonly pluginReports: readonly {
    readonly pluginName?: string;
    readonly violations: readonly {
      readonly ruleName: string;
      readonly violatingConstructs?: readonly { readonly constructPath?: string }[];
    }[];
  }[];
}

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  process.exitCode = 0;
});

/** What the rules find: the rule, and where. */
function findings(stage: Stage, add?: (stack: Stack) => void): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'pms-nag-'));
  folders.push(folder);
  const report = join(folder, 'validation-report.json');
  const app = newApp(folder);
  const { data } = addSystem(app, { stage, installation: INSTALLATION, env: ENV });
  add?.(data);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new HIPAASecurityChecks(app));
  const silent = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  try {
    app.synth();
  } catch (error) {
    // That there are findings is an error of synthesis; anything else has no report.
    if (!existsSync(report)) throw error;
  } finally {
    silent.mockRestore();
  }
  const { pluginReports } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  return pluginReports.flatMap(({ violations }) =>
    violations.flatMap(({ ruleName, violatingConstructs = [] }) =>
      violatingConstructs.map(({ constructPath = '' }) => `${ruleName} at ${constructPath}`),
    ),
  );
}

test.each(['production', 'development'])('nothing is found in %s', (name) => {
  expect(findings(stageNamed(name))).toEqual([]);
});

test('what is not acknowledged is found', () => {
  const found = findings(stageNamed('production'), (stack) => new Bucket(stack, 'Open'));
  expect(found.some((finding) => finding.startsWith('AwsSolutions-S1 '))).toBe(true);
  expect(found.some((finding) => finding.startsWith('HIPAA.Security-S3BucketLoggingEnabled '))).toBe(true);
});
