"""The examples as they run: each an app of Dapr's with a sidecar of its own, by `dapr run`."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import yaml
from system import EXAMPLES, REPOSITORY, RUNTIME, Failure, System, run

LANGUAGES = ("python", "typescript")

# The contracts that the examples use.
EVENTS = "patient/v1/events.proto"
SERVICES = "billing/v1/accounts.proto"
IMPORTED = ("billing/v1/money.proto", "google/api/annotations.proto", "google/api/http.proto")

# How `dapr run` marks what an app prints, within the colours that it gives it.
PRINTED = re.compile(r"== APP == ([^\x1b\n]*)")

# A program that has to end does so in this time, with the start of its sidecar.
SECONDS = 30


class Programs:
    """What was made of the examples, and how each is started beside a system."""

    def __init__(self, system: System, node_modules: Path) -> None:
        self.system = system
        self.logs = system.folder / "logs"
        self.logs.mkdir()
        self._made = {language: system.folder / language for language in LANGUAGES}
        self._proto = REPOSITORY / "proto"
        self._node_modules = node_modules
        self._blocks = yaml.safe_load((EXAMPLES / "access.yaml").read_text())["apps"]
        self._running: list[subprocess.Popen] = []

    def make(self) -> None:
        """Makes code of the contracts in either language, and JavaScript of TypeScript."""
        made = self._made["python"]
        made.mkdir()
        output = [f"--python_out={made}", f"--grpc_python_out={made}"]
        protoc = [sys.executable, "-m", "grpc_tools.protoc", "-I", self._proto, *output]
        run([*protoc, SERVICES, *IMPORTED], self.system.environment)

        made = self._made["typescript"]
        shutil.copytree(EXAMPLES / "typescript", made)
        (made / "node_modules").symlink_to(self._node_modules)
        programs = self._node_modules / ".bin"
        types = ["--longs=String", "--enums=String", "--defaults", "--grpcLib=@grpc/grpc-js", "--importFileExtension=.js"]
        places = [f"--includeDirs={self._proto}", "--outDir=generated"]
        run([programs / "proto-loader-gen-types", *types, *places, EVENTS, SERVICES], self.system.environment, made)
        run([programs / "tsc"], self.system.environment, made)

    def port(self, app: str) -> int:
        """Where the app itself listens."""
        return self.system.port_base + self._blocks[app]["blocks"][0]

    def subscribe(self, language: str) -> Path:
        """Starts a subscriber, which goes on; answers its log."""
        app = f"example-subscriber-{language}"
        wiring = self.system.wiring
        sidecar = ["--app-port", str(self.port(app))]
        for folder in (wiring / "components/kafka", EXAMPLES / "components"):
            sidecar += ["--resources-path", str(folder)]
        log = self.logs / f"{app}.log"
        with open(log, "w") as output:
            self._running.append(self._start(app, app, sidecar, self._program(language, "subscriber"), {}, output))
        return log

    def ask(self, language: str, patient: str, token: str, app: str | None = None) -> str:
        """Runs a client to its end, under the id of another app if that is told; answers what it printed."""
        own = f"example-client-{language}"
        command = [*self._program(language, "client"), patient]
        client = self._start(app or own, own, [], command, {"ACCESS_TOKEN": token}, subprocess.PIPE)
        try:
            output, _ = client.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            end(client)
            raise Failure(f"the client in {language} does not end") from None
        with open(self.logs / f"{own}.log", "a") as log:
            log.write(output)
        return "\n".join(PRINTED.findall(output))

    def end(self) -> None:
        """Ends what goes on."""
        for program in self._running:
            end(program)

    def _program(self, language: str, name: str) -> list[str]:
        if language == "python":
            return [sys.executable, str(EXAMPLES / "python" / f"{name}.py")]
        return ["node", str(self._made["typescript"] / "built" / f"{name}.js")]

    def _start(
        self, app: str, own: str, sidecar: list[str], program: list[str], more: dict[str, str], output: IO | int
    ) -> subprocess.Popen:
        """Starts a program and its sidecar as this app, on the ports that are the program's own."""
        port, wiring = self.port(own), self.system.wiring
        ports = ("dapr-http-port", "dapr-grpc-port", "dapr-internal-grpc-port", "metrics-port")
        command = [RUNTIME / ".dapr/bin/dapr", "run", "--app-id", app, "--log-level", "warn"]
        command += ["--config", wiring / f"dapr/config/{app}.yaml", "--resources-path", wiring / "dapr"]
        for place, name in enumerate(ports, start=1):
            command += [f"--{name}", str(port + place)]
        return subprocess.Popen(
            [*command, *sidecar, "--", *program],
            env=self._environment() | more, cwd=self.system.home, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        """What `pms-local` tells the system's own sidecars, with mTLS by the same authority; and where the contracts are."""
        base, home = self.system.port_base, self.system.home
        loopback = ("dapr-listen-addresses", "dapr-internal-grpc-listen-address", "metrics-listen-address")
        flags = [f"--{flag} 127.0.0.1" for flag in loopback]
        flags += [f"--enable-mtls --sentry-address 127.0.0.1:{base + 4}"]
        return self.system.environment | self.system.tokens() | {
            "DAPR_RUNTIME_PATH": str(RUNTIME),
            "PMS_DAPRD_ARGS": " ".join(flags),
            "DAPR_TRUST_ANCHORS": (home / "sentry/ca.crt").read_text(),
            "NAMESPACE": "default",
            # By this everything is found that belongs to the system, should it outlive this test.
            "PMS_SYSTEM": str(home),
            "PYTHONPATH": str(self._made["python"]),
            "PROTO_DIRECTORY": str(self._proto),
        }


def printed(log: Path) -> list[str]:
    """What an app has printed so far, line by line."""
    return PRINTED.findall(log.read_text())


def end(program: subprocess.Popen) -> None:
    """Ends a program with its sidecar, which are one group of processes."""
    try:
        os.killpg(program.pid, signal.SIGTERM)
        program.wait(5)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        pass
    try:
        os.killpg(program.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    program.wait()
