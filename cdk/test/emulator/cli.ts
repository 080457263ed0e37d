/** The CDK's own command and this project's, as an operator runs them, against an emulator. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { ENV, INSTALLATION } from '../system.js';
import type { Emulator } from './emulators.js';

const FOLDER = fileURLToPath(new URL('../../', import.meta.url));
const bin = (name: string) => join(FOLDER, 'node_modules/.bin', name);

const QUIET = ['--no-notices', '--no-version-reporting'];

/** What an operator types. */
export class Operator {
  readonly env: Record<string, string>;
  private readonly assembly: string;

  constructor(
    emulator: Emulator,
    private readonly stage: string,
  ) {
    this.assembly = join(emulator.home, 'cdk.out');
    this.env = {
      PATH: process.env['PATH'] ?? '',
      // The CLI remembers there which account a key is of.
      HOME: emulator.home,
      AWS_ENDPOINT_URL: emulator.url,
      // Twelve digits are the account.
      AWS_ACCESS_KEY_ID: ENV.account,
      AWS_SECRET_ACCESS_KEY: 'of-an-emulator',
      AWS_REGION: ENV.region,
      AWS_EC2_METADATA_DISABLED: 'true',
      CDK_DISABLE_CLI_TELEMETRY: '1',
      NODE_NO_WARNINGS: '1',
      NO_COLOR: '1',
    };
  }

  /** `cdk synth`, with where and what as context; what follows takes what it has made. */
  synthesise(): Promise<string> {
    const { imageTag, domainName, certificateArn } = INSTALLATION;
    const context = Object.entries({ stage: this.stage, ...ENV, imageTag, domainName, certificateArn });
    const flags = context.flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    return this.run(bin('cdk'), ['synth', '--quiet', '--output', this.assembly, ...QUIET, ...flags]);
  }

  /** `cdk`; answers what it said. */
  cdk(...args: string[]): Promise<string> {
    return this.run(bin('cdk'), [...args, '--app', this.assembly, ...QUIET]);
  }

  /** `npm run <script>`. */
  script(name: string, ...args: string[]): Promise<string> {
    return this.run(bin('tsx'), [`bin/${name}.ts`, '--stage', this.stage, ...args]);
  }

  private async run(program: string, args: string[]): Promise<string> {
    try {
      const { stdout, stderr } = await promisify(execFile)(program, args, {
        cwd: FOLDER,
        env: this.env,
        maxBuffer: 64 << 20,
      });
      return stdout + stderr;
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      const said = `${stdout}\n${stderr}`.split('\n').map((line) => line.slice(0, 300));
      throw new Error(`${args.slice(0, 2).join(' ')} failed:\n${said.slice(-40).join('\n')}`);
    }
  }
}
