/** Databases are prepared before services start, and a failure is one. */
import { DescribeTasksCommand, type ECSClient, RunTaskCommand } from '@aws-sdk/client-ecs';
import { expect, test } from 'vitest';
import { migrate } from '../lib/platform/run-migrations.js';
import { stageNamed } from '../lib/stage.js';

const stage = stageNamed('development');
const place = { cluster: 'pms-development', subnets: ['subnet-1', 'subnet-2'], securityGroup: 'sg-1' };
const patience = { every: 1, most: 20 };

/** ECS, with the exit code of each app's task; one without a code never ends. */
function ecs(codes: Record<string, number | undefined>) {
  const asked: RunTaskCommand[] = [];
  const looks = new Map<string, number>();
  const send = (command: unknown): Promise<unknown> => {
    if (command instanceof RunTaskCommand) {
      asked.push(command);
      return Promise.resolve({ tasks: [{ taskArn: command.input.taskDefinition }] });
    }
    if (!(command instanceof DescribeTasksCommand)) throw new Error('nothing else is asked');
    const arn = command.input.tasks?.[0] ?? '';
    const app = arn.replace('pms-development-migrate-', '');
    looks.set(app, (looks.get(app) ?? 0) + 1);
    const ended = codes[app] !== undefined && (looks.get(app) ?? 0) > 2;
    const containers = [{ name: 'migrate', exitCode: codes[app] }];
    return Promise.resolve({ tasks: [{ lastStatus: ended ? 'STOPPED' : 'RUNNING', containers }] });
  };
  return { asked, client: { send } as unknown as ECSClient };
}

test('each database has its task, in the network of the platform', async () => {
  const { asked, client } = ecs({ auth: 0, patient: 0 });
  await migrate(client, stage, ['auth', 'patient'], place, patience);
  expect(asked.map(({ input }) => input.taskDefinition)).toEqual([
    'pms-development-migrate-auth',
    'pms-development-migrate-patient',
  ]);
  expect(asked[0]?.input.networkConfiguration?.awsvpcConfiguration).toEqual({
    subnets: ['subnet-1', 'subnet-2'],
    securityGroups: ['sg-1'],
    assignPublicIp: 'DISABLED',
  });
});

test('one that fails is told of, with where to look', async () => {
  const { client } = ecs({ auth: 0, patient: 1 });
  await expect(migrate(client, stage, ['auth', 'patient'], place, patience)).rejects.toThrow(
    'the migration of patient failed (exit code 1): see the log group /pms/development/migrate',
  );
});

test('one that does not end is told of', async () => {
  const { client } = ecs({ auth: undefined });
  await expect(migrate(client, stage, ['auth'], place, patience)).rejects.toThrow('of auth has not ended');
});
