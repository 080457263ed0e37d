import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import { retention } from '../pms-stack.js';
import type { Stage } from '../stage.js';

/** What a request passes before the load balancer. */
export interface FirewallProps {
  readonly stage: Stage;
  readonly loadBalancerArn: string;
  readonly logKey: IKey;
}

/** As much as the gateway lets through by itself, so that this stops who would keep the gateway busy with refusing. */
const REQUESTS_IN_FIVE_MINUTES = 15_000;

/** Rules that would refuse what people have to be able to write; what they would have refused is counted. */
const COUNTED: Readonly<Record<string, readonly string[]>> = {
  // A remittance or a note may be longer than 8 KiB; the gateway takes 1 MiB. And a note may speak of `<5 mg`.
  AWSManagedRulesCommonRuleSet: ['SizeRestrictions_BODY', 'CrossSiteScripting_BODY', 'GenericRFI_BODY'],
};

/** The rules of AWS against what is known to be bad, and a limit for each address. */
export class Firewall extends Construct {
  constructor(scope: Construct, id: string, { stage, loadBalancerArn, logKey }: FirewallProps) {
    super(scope, id);
    const visible = (metricName: string): CfnWebACL.VisibilityConfigProperty => ({
      cloudWatchMetricsEnabled: true,
      metricName,
      // Samples are whole requests, with what people search for.
      sampledRequestsEnabled: false,
    });
    const managed = [
      'AWSManagedRulesAmazonIpReputationList',
      'AWSManagedRulesCommonRuleSet',
      'AWSManagedRulesKnownBadInputsRuleSet',
    ];
    const acl = new CfnWebACL(this, 'Acl', {
      name: `pms-${stage.name}`,
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visible('acl'),
      rules: [
        {
          name: 'rate',
          priority: 0,
          action: { block: { customResponse: { responseCode: 429 } } },
          statement: { rateBasedStatement: { aggregateKeyType: 'IP', limit: REQUESTS_IN_FIVE_MINUTES } },
          visibilityConfig: visible('rate'),
        },
        ...managed.map((name, index) => ({
          name,
          priority: index + 1,
          overrideAction: { none: {} },
          statement: {
            managedRuleGroupStatement: {
              vendorName: 'AWS',
              name,
              ruleActionOverrides: (COUNTED[name] ?? []).map((rule) => ({ name: rule, actionToUse: { count: {} } })),
            },
          },
          visibilityConfig: visible(name),
        })),
      ],
    });
    new CfnWebACLAssociation(this, 'Association', { resourceArn: loadBalancerArn, webAclArn: acl.attrArn });
    const logs = new LogGroup(this, 'Logs', {
      // The prefix is the service's.
      logGroupName: `aws-waf-logs-pms-${stage.name}`,
      retention: retention(stage),
      encryptionKey: logKey,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const logging = new CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: acl.attrArn,
      logDestinationConfigs: [
        Stack.of(this).formatArn({
          service: 'logs',
          resource: 'log-group',
          resourceName: logs.logGroupName,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
      // Whom somebody searched for, and who they are.
      redactedFields: [
        { queryString: {} },
        { singleHeader: { Name: 'authorization' } },
        { singleHeader: { Name: 'cookie' } },
      ],
    });
    logging.node.addDependency(logs);
  }
}
