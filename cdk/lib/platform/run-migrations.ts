/** Runs the tasks that prepare the databases, and waits for them. */
import { DescribeStacksCommand, type CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DescribeTasksCommand, type ECSClient, RunTaskCommand, type Task } from '@aws-sdk/client-ecs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from '../stage.js';
import { migrationFamily } from './platform-stack.js';

/** Where tasks run. */
export interface Place {
  readonly cluster: string;
  readonly subnets: readonly string[];
  readonly securityGroup: string;
}

/** Reads it from what the platform's stack tells. */
export async function placeOf(client: CloudFormationClient, stage: Stage): Promise<Place> {
  const name = `pms-${stage.name}-platform`;
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: name }));
  const output = (key: string): string => {
    const found = Stacks?.[0]?.Outputs?.find((output) => output.OutputKey === key)?.OutputValue;
    if (!found) throw new Error(`${name} tells no ${key}`);
    return found;
  };
  return {
    cluster: output('ClusterName'),
    subnets: output('TaskSubnets').split(','),
    securityGroup: output('MigrationSecurityGroup'),
  };
}

/** How often and how long a task is asked about. */
export interface Patience {
  readonly every: number;
  readonly most: number;
}

/** Prepares the databases of these apps side by side; the first failure of one is the answer, after all have ended. */
export async function migrate(
  client: Pick<ECSClient, 'send'>,
  stage: Stage,
  apps: readonly string[],
  place: Place,
  patience: Patience = { every: 5_000, most: 900_000 },
): Promise<void> {
  const results = await Promise.allSettled(apps.map((app) => migrateOne(client, stage, app, place, patience)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

async function migrateOne(
  client: Pick<ECSClient, 'send'>,
  stage: Stage,
  app: string,
  { cluster, subnets, securityGroup }: Place,
  { every, most }: Patience,
): Promise<void> {
  const { tasks, failures } = await (client as ECSClient).send(
    new RunTaskCommand({
      cluster,
      taskDefinition: migrationFamily(stage, app),
      launchType: 'FARGATE',
      networkConfiguration: {
        awsvpcConfiguration: { subnets: [...subnets], securityGroups: [securityGroup], assignPublicIp: 'DISABLED' },
      },
    }),
  );
  const arn = tasks?.[0]?.taskArn;
  if (!arn) throw new Error(`the migration of ${app} was not started: ${failures?.[0]?.reason ?? 'nobody says why'}`);
  for (let waited = 0; waited <= most; waited += every) {
    const { tasks } = await (client as ECSClient).send(new DescribeTasksCommand({ cluster, tasks: [arn] }));
    const task = tasks?.[0];
    if (task?.lastStatus === 'STOPPED') return judge(stage, app, task);
    await sleep(every);
  }
  throw new Error(`the migration of ${app} has not ended: ${arn}`);
}

function judge(stage: Stage, app: string, task: Task): void {
  const code = task.containers?.find((container) => container.name === 'migrate')?.exitCode;
  if (code === 0) return;
  const why = task.stoppedReason ?? `exit code ${String(code)}`;
  throw new Error(`the migration of ${app} failed (${why}): see the log group /pms/${stage.name}/migrate`);
}
