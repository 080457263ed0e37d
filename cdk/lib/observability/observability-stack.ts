import { Stack } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { DatabaseInstance } from 'aws-cdk-lib/aws-rds';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { DataStack } from '../data/data-stack.js';
import type { Installation } from '../installation.js';
import type { NetworkStack } from '../network/network-stack.js';
import type { PmsStackProps } from '../pms-stack.js';
import type { ServicesStack } from '../services/services-stack.js';
import { Alarms } from './alarms.js';
import { Measures } from './measures.js';
import { Overview } from './overview.js';

/** What is watched. */
export interface ObservabilityStackProps extends PmsStackProps {
  readonly network: NetworkStack;
  readonly data: DataStack;
  readonly services: ServicesStack;
  readonly installation: Installation;
}

/** Alarms, who hears of them, and a dashboard. */
export class ObservabilityStack extends Stack {
  constructor(scope: Construct, id: string, props: ObservabilityStackProps) {
    super(scope, id, props);
    const { stage, apps, data, services, installation } = props;
    const topic = new Topic(this, 'AlarmTopic', {
      topicName: `pms-${stage.name}-alarms`,
      displayName: 'Alarms of the Patient Management System',
      masterKey: props.network.logKey,
      enforceSSL: true,
    });
    if (installation.alarmEmail) topic.addSubscription(new EmailSubscription(installation.alarmEmail));
    const databases = new Map<string, DatabaseInstance>();
    for (const app of apps) {
      const { database } = data.of(app.id);
      if (database) databases.set(app.id, database.instance);
    }
    const shown = {
      stage,
      apps,
      measures: new Measures(stage),
      cluster: `pms-${stage.name}`,
      databases,
      targets: services.frontDoor.targets,
    };
    new Alarms(this, 'Alarms', {
      ...shown,
      loadBalancer: services.frontDoor.loadBalancer,
      action: new SnsAction(topic),
    });
    new Overview(this, 'Overview', shown);
  }
}
