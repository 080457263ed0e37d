/**
 * `npm run emulator [-- --on localstack]`: the system is deployed by the CDK's own command to an emulator of AWS on
 * loopback, looked at, deployed again, and destroyed.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { stageNamed } from '../../lib/stage.js';
import { ENV } from '../system.js';
import * as check from './checks.js';
import { Operator } from './cli.js';
import { type Emulator, Unavailable, startEmulator } from './emulators.js';

const { values } = parseArgs({ options: { on: { type: 'string', default: 'ministack' } } });
const stage = stageNamed('development');
const begun = Date.now();
const say = (what: string) => console.log(`${((Date.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${what}`);

async function walk(emulator: Emulator): Promise<void> {
  const operator = new Operator(emulator, stage.name);
  const config = {
    endpoint: emulator.url,
    region: ENV.region,
    credentials: { accessKeyId: ENV.account, secretAccessKey: 'of-an-emulator' },
  };
  // Where types are made up, nothing can be asked of their services.
  const whole = emulator.unknownTypes === 'refuses';
  const parts = (...names: string[]) => names.map((name) => `pms-${stage.name}-${name}`);
  const unattended = ['--require-approval', 'never', '--progress', 'events'];

  await operator.synthesise();
  say('synthesised');
  await operator.cdk('bootstrap', `aws://${ENV.account}/${ENV.region}`);
  say('bootstrapped');
  let said = await operator.cdk('deploy', ...parts('network', 'data', 'platform'), ...unattended);
  say('deployed what services stand on');
  if (whole) {
    const filled = await operator.script('secrets', '--administrator', 'admin@clinic.example');
    assert.match(filled, /made {2}auth\/signing-key/);
    const again = await operator.script('secrets');
    assert.doesNotMatch(again, /^made/m);
    say('filled the secrets, once');
    await check.migrations(config, stage);
    say('started the migrations, and waited for their end');
  }
  said += await operator.cdk('deploy', '--all', ...unattended);
  say('deployed everything');
  for (const [type, count] of madeUp(said)) say(`  made up: ${count} ${type}`);
  await check.stacks(config, stage, 'there');
  await check.alarms(config, stage);
  if (whole) {
    await check.secrets(config, stage);
    await check.services(config, stage);
    await check.data(config, stage);
    await check.door(config);
  }
  say('everything is there');
  const again = await operator.cdk('deploy', '--all', ...unattended);
  assert.equal(again.match(/\(no changes\)/g)?.length, 5, again);
  const difference = await operator.cdk('diff', '--all');
  assert.match(difference, /Number of stacks with differences: 0/);
  say('deployed again, and nothing was to change');
  await operator.cdk('destroy', '--all', '--force');
  await check.stacks(config, stage, 'gone');
  if (whole) await check.nothing(config, stage);
  say('destroyed, and nothing is left');
}

/** How many resources of which type an emulator has only made up, as it says itself. */
function madeUp(said: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [, type = ''] of said.matchAll(/Resource type (\S+) is not supported/g)) {
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return new Map([...counts].sort());
}

try {
  const emulator = await startEmulator(values.on);
  say(`${values.on} answers at ${emulator.url}`);
  process.on('SIGINT', () => void emulator.stop().then(() => process.exit(130)));
  try {
    await walk(emulator);
  } finally {
    await emulator.stop();
  }
} catch (error) {
  if (!(error instanceof Unavailable)) throw error;
  say(`not tried on ${values.on}: ${error.message}`);
  // One of them has to be there for a change to be trusted: python3 with venv and pip is all that it needs.
  if (values.on === 'ministack') process.exitCode = 1;
}
