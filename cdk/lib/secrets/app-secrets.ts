import type { RemovalPolicy } from 'aws-cdk-lib';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnSecret, Secret, type ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.js';

/** Where secrets are and what encrypts them. */
export interface SecretFolderProps {
  /** What stands before every name, such as `pms/production/patient/`. */
  readonly prefix: string;
  readonly key: IKey;
  readonly removalPolicy: RemovalPolicy;
}

/** The secrets of one owner. */
export class SecretFolder extends Construct {
  constructor(
    scope: Construct,
    id: string,
    private readonly props: SecretFolderProps,
  ) {
    super(scope, id);
  }

  /**
   * A secret without a value, which `npm run secrets` gives one: keys, certificates and what else CloudFormation cannot
   * make. No template and no deployment knows what is in it.
   */
  empty(name: string, description: string): ISecret {
    const resource = new CfnSecret(this, `${name}-resource`, {
      name: this.props.prefix + name,
      description,
      kmsKeyId: this.props.key.keyArn,
    });
    resource.applyRemovalPolicy(this.props.removalPolicy);
    acknowledge(
      resource,
      'It is replaced by `npm run secrets -- --renew`, signing keys by `rotate-keys`: each in steps that a timer does not know.',
      'AwsSolutions-SMG4',
      'HIPAA.Security-SecretsManagerRotationEnabled',
    );
    return withoutKey(this, name, resource.ref);
  }

  /** A connection to a database: what is known of it, and a password that Secrets Manager makes. */
  connection(name: string, description: string, fields: Record<string, string>): ISecret {
    const secret = new Secret(this, `${name}-resource`, {
      secretName: this.props.prefix + name,
      description,
      encryptionKey: this.props.key,
      removalPolicy: this.props.removalPolicy,
      generateSecretString: {
        secretStringTemplate: JSON.stringify(fields),
        generateStringKey: 'password',
        // Only what needs no quotes in a connection string.
        excludePunctuation: true,
        passwordLength: 40,
      },
    });
    acknowledge(
      secret,
      'A new password is set by the migration task and taken up when the sidecars start again: docs/aws.md has the steps.',
      'AwsSolutions-SMG4',
      'HIPAA.Security-SecretsManagerRotationEnabled',
    );
    return withoutKey(this, name, secret.secretArn);
  }
}

/**
 * The secret as those know it who read it. If they knew its key, too, the key's policy would name each of their roles,
 * and the stack of the key would need all the others.
 */
export function withoutKey(scope: Construct, id: string, arn: string): ISecret {
  return Secret.fromSecretCompleteArn(scope, id, arn);
}

/** Lets a role use the key of secrets, for secrets that it may read and for nothing else. */
export function grantUnseal(grantee: IGrantable, keyArn: string, region: string): void {
  grantee.grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['kms:Decrypt'],
      resources: [keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` } },
    }),
  );
}
