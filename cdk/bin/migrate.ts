/** `npm run migrate -- --stage production`, after the platform and before the services, at each new version. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { ECSClient } from '@aws-sdk/client-ecs';
import { parseArgs } from 'node:util';
import { migrate, placeOf } from '../lib/platform/run-migrations.js';
import { apps } from '../lib/repository.js';
import { stageNamed } from '../lib/stage.js';

const { values } = parseArgs({ options: { stage: { type: 'string' } } });
if (!values.stage) throw new Error('which stage? --stage production');
const stage = stageNamed(values.stage);
const owners = apps().filter((app) => app.hasDatabase);
await migrate(
  new ECSClient({}),
  stage,
  owners.map((app) => app.id),
  await placeOf(new CloudFormationClient({}), stage),
);
console.log(`prepared: ${owners.map((app) => app.id).join(', ')}`);
