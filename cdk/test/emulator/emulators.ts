/** The emulators of AWS that the deployment is tried on: what they need, how they are started, and what they lack. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ENV } from '../system.js';

/** One that runs. */
export interface Emulator {
  readonly url: string;
  /** What it does with resource types that it does not know: `refuses` them, or makes them `placeholders`. */
  readonly unknownTypes: 'refuses' | 'placeholders';
  /** A folder that is deleted with it. */
  readonly home: string;
  stop(): Promise<void>;
}

/** Why one cannot be had on this machine. */
export class Unavailable extends Error {}

interface Kind {
  /** The folder of its programs, by what is in it. */
  readonly folder: string;
  readonly unknownTypes: Emulator['unknownTypes'];
  /** A Python that it runs on, by its command. */
  readonly pythons: readonly string[];
  readonly packages: readonly (readonly string[])[];
  readonly health: string;
  start(python: string, port: number, home: string): { command: string[]; env: Record<string, string> };
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

const KINDS: Readonly<Record<string, Kind>> = {
  ministack: {
    folder: 'ministack-1.5.33',
    unknownTypes: 'refuses',
    pythons: ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'],
    packages: [['ministack==1.5.33']],
    health: '/_ministack/health',
    start: (python, port, home) => ({
      command: [python, here('ministack_extension.py')],
      env: {
        // It would listen on all interfaces.
        BIND_HOST: '127.0.0.1',
        GATEWAY_PORT: String(port),
        MINISTACK_REGION: ENV.region,
        MINISTACK_ACCOUNT_ID: ENV.account,
        S3_DATA_DIR: join(home, 's3'),
        STATE_DIR: join(home, 'state'),
      },
    }),
  },
  localstack: {
    folder: 'localstack-core-4.14.0',
    unknownTypes: 'placeholders',
    pythons: ['python3.13'],
    // The last version before an account is asked for, with what its dependencies were then.
    packages: [
      ['-U', 'pip>=26'],
      ['--uploaded-prior-to', '2026-03-05T00:00:00Z', 'localstack-core[runtime]==4.14.0'],
    ],
    health: '/_localstack/health',
    start: (python, port, home) => ({
      command: [python, here('localstack_extension.py')],
      env: {
        // The default server listens on all interfaces whatever it is told.
        GATEWAY_SERVER: 'hypercorn',
        GATEWAY_LISTEN: `127.0.0.1:${port}`,
        LOCALSTACK_HOST: `127.0.0.1:${port}`,
        DISABLE_EVENTS: '1',
        SKIP_SSL_CERT_DOWNLOAD: '1',
        DNS_ADDRESS: '0',
        FILESYSTEM_ROOT: join(home, 'root'),
      },
    }),
  },
};

/** Starts an emulator on loopback, and installs it first where it is not. */
export async function startEmulator(name: string): Promise<Emulator> {
  const kind = KINDS[name];
  if (!kind) throw new Error(`there is no emulator ${name}, but ${Object.keys(KINDS).join(' and ')}`);
  const python = install(kind);
  const home = mkdtempSync(join(tmpdir(), `pms-${name}-`));
  const port = await freePort();
  const { command, env } = kind.start(python, port, home);
  const [program = '', ...args] = command;
  const log = openSync(join(home, 'log'), 'a');
  const child = spawn(program, args, {
    cwd: home,
    env: { PATH: process.env['PATH'], HOME: home, ...env },
    stdio: ['ignore', log, log],
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    await end(child);
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await ready(url + kind.health, child, join(home, 'log'));
  } catch (error) {
    await end(child);
    throw error;
  }
  return { url, unknownTypes: kind.unknownTypes, home, stop };
}

/** The Python of the emulator's own environment. */
function install(kind: Kind): string {
  const cache = process.env['PMS_CACHE'] ?? join(homedir(), '.cache/pms');
  const folder = join(cache, 'emulators', kind.folder);
  const python = join(folder, 'bin/python');
  if (existsSync(join(folder, 'complete'))) return python;
  const found = kind.pythons.map(which).find((path) => path !== undefined);
  if (!found) throw new Unavailable(`it needs one of ${kind.pythons.join(', ')}, and there is none`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(cache, 'emulators'), { recursive: true });
  try {
    execFileSync(found, ['-m', 'venv', folder], { stdio: 'pipe' });
    for (const packages of kind.packages) {
      execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages], {
        stdio: 'pipe',
      });
    }
  } catch (error) {
    throw new Unavailable(
      `${kind.folder} could not be installed: ${String((error as { stderr?: unknown }).stderr ?? error)}`,
    );
  }
  mkdirSync(join(folder, 'made'), { recursive: true });
  // The mark comes last, so that what was cut short is made again.
  renameSync(join(folder, 'made'), join(folder, 'complete'));
  return python;
}

/** A command, also where pyenv has it under a version that is not chosen. */
function which(command: string): string | undefined {
  const version = command.replace('python', '');
  const candidates = [
    command,
    `${process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv')}/versions/${version}.0/bin/${command}`,
  ];
  return candidates.find((candidate) => {
    try {
      execFileSync(candidate, ['-c', 'import venv, ensurepip'], { stdio: 'pipe' });
      return true;
    } catch {
      return false;
    }
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function ready(url: string, child: ChildProcess, log: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`the emulator ended at once: ${log}`);
    const answered = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    await sleep(100);
  }
  throw new Error(`the emulator does not answer at ${url}: ${log}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(late);
}
