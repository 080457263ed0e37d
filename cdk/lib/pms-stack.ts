/** What every stack is given, and what follows from its stage. */
import { RemovalPolicy, type StackProps } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { AppDefinition } from './repository.js';
import type { Stage } from './stage.js';

/** What every stack is given. */
export interface PmsStackProps extends StackProps {
  readonly stage: Stage;
  readonly apps: readonly AppDefinition[];
}

/** What becomes of data and keys when their stack is deleted. */
export function removal(stage: Stage): RemovalPolicy {
  return stage.keeps ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
}

/** How long logs are kept. */
export function retention(stage: Stage): RetentionDays {
  if (!(stage.logDays in RetentionDays)) throw new Error(`logs cannot be kept for ${stage.logDays} days`);
  return stage.logDays;
}
