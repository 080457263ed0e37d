/** `npm run secrets -- --stage production --administrator name@clinic.example`, between the data and the services. */
import { KafkaClient } from '@aws-sdk/client-kafka';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { parseArgs } from 'node:util';
import { apps } from '../lib/repository.js';
import { fillSecrets } from '../lib/secrets/fill.js';
import { brokersOf, secretsOf } from '../lib/secrets/account.js';
import { stageNamed } from '../lib/stage.js';

const { values } = parseArgs({
  options: {
    stage: { type: 'string' },
    administrator: { type: 'string' },
    renew: { type: 'string', multiple: true, default: [] },
  },
});
if (!values.stage) throw new Error('which stage? --stage production');
const stage = stageNamed(values.stage);
const filled = await fillSecrets(
  stage,
  apps(),
  secretsOf(new SecretsManagerClient({})),
  {
    brokers: () => brokersOf(new KafkaClient({}), stage),
    ...(values.administrator !== undefined && { administratorEmail: values.administrator }),
  },
  new Set(values.renew),
);
for (const name of filled.made) console.log(`made  ${name}`);
for (const name of filled.kept) console.log(`kept  ${name}`);
