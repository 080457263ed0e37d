/** `cdk` runs this: `npx cdk deploy --all -c stage=production -c imageTag=1.4.0 ...` (README.md). */
import { App } from 'aws-cdk-lib';
import { installation } from '../lib/installation.js';
import { stageNamed } from '../lib/stage.js';
import { addSystem } from '../lib/system.js';

const app = new App();
const given = (name: string, fallback: string | undefined): string => {
  const value = (app.node.tryGetContext(name) as string | undefined) ?? fallback;
  if (!value) throw new Error(`missing: -c ${name}=...`);
  return value;
};

addSystem(app, {
  stage: stageNamed(given('stage', undefined)),
  installation: installation(app.node),
  env: {
    account: given('account', process.env['CDK_DEFAULT_ACCOUNT']),
    region: given('region', process.env['CDK_DEFAULT_REGION']),
  },
});
