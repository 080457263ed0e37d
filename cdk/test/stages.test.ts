/** What a stage keeps, and what it may lose. */
import { App } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { installation } from '../lib/installation.js';
import { type Stage, stageNamed } from '../lib/stage.js';
import { PARTS, type Resource, resources, synthesised } from './system.js';

const stages = [stageNamed('production'), stageNamed('development')].map((stage) => ({ stage, ...synthesised(stage) }));

/** What holds something that cannot be made again. */
const KEEPS = [
  'AWS::RDS::DBInstance',
  'AWS::MSK::Cluster',
  'AWS::MSK::Topic',
  'AWS::SecretsManager::Secret',
  'AWS::KMS::Key',
  'AWS::ECR::Repository',
];

function all(templates: (typeof stages)[number]['templates'], type: string): Resource[] {
  return PARTS.flatMap((part) => Object.values(resources(templates[part], type)));
}

test.each(stages)('data and keys of $stage.name are kept or thrown away as it says', ({ stage, templates }) => {
  for (const type of KEEPS) {
    const found = all(templates, type);
    expect(found.length, type).toBeGreaterThan(0);
    for (const { DeletionPolicy } of found) expect(DeletionPolicy, type).toBe(stage.keeps ? 'Retain' : 'Delete');
  }
});

test.each(stages)('databases of $stage.name are encrypted and private, and have what it promises', (of) => {
  const stage: Stage = of.stage;
  const databases = all(of.templates, 'AWS::RDS::DBInstance');
  expect(databases.length).toBe(4);
  for (const { Properties } of databases) {
    expect(Properties).toMatchObject({
      StorageEncrypted: true,
      PubliclyAccessible: false,
      MultiAZ: stage.keeps,
      DeletionProtection: stage.keeps,
      BackupRetentionPeriod: stage.backupDays,
      ManageMasterUserPassword: true,
    });
  }
  for (const { Properties } of all(of.templates, 'AWS::RDS::DBParameterGroup')) {
    expect(Properties['Parameters']).toMatchObject({ 'rds.force_ssl': '1', 'log_parameter_max_length_on_error': '0' });
  }
});

test.each(stages)(
  'everything of $stage.name says whose it is, and logs end and are encrypted',
  ({ stage, templates }) => {
    const groups = all(templates, 'AWS::Logs::LogGroup');
    expect(groups.length).toBeGreaterThan(15);
    for (const { Properties } of groups) {
      expect(Properties['RetentionInDays'], String(Properties['LogGroupName'])).toBe(stage.logDays);
      expect(Properties['KmsKeyId'], String(Properties['LogGroupName'])).toBeDefined();
    }
    for (const type of ['AWS::RDS::DBInstance', 'AWS::ECS::Service', 'AWS::EC2::VPC', 'AWS::KMS::Key']) {
      for (const { Properties } of all(templates, type)) {
        expect(Properties['Tags'], type).toEqual(
          expect.arrayContaining([
            { Key: 'data', Value: stage.keeps ? 'phi' : 'none' },
            { Key: 'stage', Value: stage.name },
            { Key: 'system', Value: 'pms' },
          ]),
        );
      }
    }
  },
);

test('what is missing is named, and a version is one', () => {
  const given = (context: Record<string, string>) => () => installation(new App({ context }).node);
  expect(given({ imageTag: '1.0.0' })).toThrow('-c domainName=... -c certificateArn=...');
  const rest = { domainName: 'clinic.example', certificateArn: 'arn' };
  expect(given({ ...rest, imageTag: 'latest' })).toThrow('names a version');
  expect(given({ ...rest, imageTag: '1.0.0' })()).toMatchObject({ timeZone: 'America/New_York', currency: 'EUR' });
  expect(() => stageNamed('test')).toThrow('production and development');
});
