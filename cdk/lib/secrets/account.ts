/** Secrets Manager, and where the broker is. */
import { GetBootstrapBrokersCommand, KafkaClient, ListClustersCommand } from '@aws-sdk/client-kafka';
import {
  DescribeSecretCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { clusterName } from '../names.js';
import type { Stage } from '../stage.js';
import type { SecretValues } from './fill.js';

/** The secrets of an account and a region. */
export function secretsOf(client: SecretsManagerClient): SecretValues {
  return {
    // Asked of the secret and not of its value, which who fills it has no need to read.
    async has(name) {
      const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: name }));
      return Object.keys(VersionIdsToStages ?? {}).length > 0;
    },
    async write(name, value) {
      await client.send(new PutSecretValueCommand({ SecretId: name, SecretString: value }));
    },
  };
}

/** Where the brokers of a stage are. */
export async function brokersOf(client: KafkaClient, stage: Stage): Promise<string> {
  const name = clusterName(stage);
  const { ClusterInfoList: found } = await client.send(new ListClustersCommand({ ClusterNameFilter: name }));
  const cluster = found?.find((cluster) => cluster.ClusterName === name);
  if (!cluster) throw new Error(`there is no Kafka cluster ${name}: deploy the data first`);
  const { BootstrapBrokerStringSaslIam: brokers } = await client.send(
    new GetBootstrapBrokersCommand({ ClusterArn: cluster.ClusterArn }),
  );
  if (!brokers) throw new Error(`${name} is not ready, or takes no IAM`);
  return brokers;
}
