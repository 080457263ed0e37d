"""A system of the test's own, started by `pms-local` from a copy of the repository's wiring that lets the examples in."""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import IO

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples"

# As tools/local has it: systems on one machine keep out of each other's way by a locked file for each base.
SPAN = 100
RESERVABLE = range(20_000, 32_000, SPAN)

# The programs, as `make` has built them.
PROGRAMS = Path(os.environ["PMS_BIN_DIR"]).resolve()
RUNTIME = Path(os.environ["PMS_RUNTIME_DIR"]).resolve()
ACCESS = Path(os.environ["PMS_ACCESS"]).resolve()


class Failure(Exception):
    """Something is not as it has to be; the text says what."""


class System:
    """The five services with their sidecars, a database, a broker and an authority, in a folder that goes with them."""

    def __init__(self) -> None:
        self.port_base, self._reservation = reserve()
        self.folder = Path(tempfile.mkdtemp(prefix="pms-examples-")).resolve()
        self.wiring, self.home = self.folder / "wiring", self.folder / "home"
        self.url = f"http://127.0.0.1:{self.port_base}"
        self.environment = os.environ | {
            "PMS_HOME": str(self.home),
            "PMS_PORT_BASE": str(self.port_base),
            "PMS_INSTANCES": "1",
            "PMS_PAYER_SIMULATOR": "0",
            # Redis and others know their users by name, and those of the examples are none of theirs.
            "BROKER": "kafka",
        }

    def up(self) -> None:
        """Starts everything, and waits until it is ready."""
        self._wire()
        self._local("up", "--repo", str(self.wiring), "--no-journey")
        # The subscribers' sidecars find the broker where those of the services do.
        secrets = json.loads((self.home / "secrets/billing.json").read_text())
        brokers = {key: value for key, value in secrets.items() if key.startswith("pubsub-")}
        file = self.home / "secrets/examples.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(brokers))

    def down(self) -> None:
        """Ends everything that runs, whoever started it for this system, and deletes it."""
        if self.home.exists():
            self._local("reset", "--yes")
        shutil.rmtree(self.folder)
        self._reservation.close()

    def administrator(self) -> dict[str, str]:
        """What the first user signs in with."""
        secrets = json.loads((self.home / "secrets/local.json").read_text())
        return {"email": secrets["administrator-email"], "password": secrets["administrator-password"]}

    def tokens(self) -> dict[str, str]:
        """What sidecars and apps show each other, by the names of Dapr's variables."""
        tokens = json.loads((self.home / "run/tokens.json").read_text())
        return {"DAPR_API_TOKEN": tokens["dapr-api-token"], "APP_API_TOKEN": tokens["app-api-token"]}

    def _wire(self) -> None:
        """Copies what says who may do what, adds the examples, and has everything made that follows from it."""
        shutil.copytree(REPOSITORY / "dapr", self.wiring / "dapr", ignore=shutil.ignore_patterns("runtime"))
        shutil.copytree(REPOSITORY / "components", self.wiring / "components")
        # The page that the gateway serves. The examples do not look at it, so an empty one will do.
        page = self.wiring / "web/dist"
        (page / "assets").mkdir(parents=True)
        (page / "index.html").write_text("<!doctype html><title>No page</title>")
        access = self.wiring / "dapr/access.yaml"
        matrix, examples = (yaml.safe_load(file.read_text()) for file in (access, EXAMPLES / "access.yaml"))
        access.write_text(yaml.safe_dump(admitting(matrix, examples), sort_keys=False))
        run([ACCESS, "write", self.wiring], self.environment)

    def _local(self, *arguments: str) -> None:
        run([PROGRAMS / "pms-local", *arguments], self.environment)


def admitting(matrix: dict, examples: dict) -> dict:
    """The matrix with the apps, callers and subscribers of the other; each must know what it calls and listens to."""
    try:
        matrix["apps"] |= examples["apps"]
        for callee, operations in examples["calls"].items():
            for operation, callers in operations.items():
                matrix["calls"][callee][operation] += callers
        topics = {topic["name"]: topic for topic in matrix["topics"]}
        for topic in examples["topics"]:
            topics[topic["name"]]["subscribe"] += topic["subscribe"]
    except KeyError as missing:
        raise Failure(f"examples/access.yaml names {missing}, which dapr/access.yaml does not have") from None
    return matrix


def reserve() -> tuple[int, IO]:
    """A base whose ports are free and stay ours until the file is closed."""
    locks = Path(tempfile.gettempdir()) / "pms-ports"
    locks.mkdir(exist_ok=True)
    for base in RESERVABLE:
        lock = open(locks / str(base), "a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if all(is_free(port) for port in range(base, base + SPAN)):
                return base, lock
        except BlockingIOError:
            pass
        lock.close()
    raise Failure(f"no {SPAN} free ports in a row between {RESERVABLE.start} and {RESERVABLE.stop}")


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()
        except OSError:
            return False
        return True


def run(command: list, environment: dict[str, str], directory: Path | None = None) -> None:
    """Runs a command to its end; what it says is shown if it fails."""
    done = subprocess.run(
        command, env=environment, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )
    if done.returncode:
        name = Path(command[0]).name
        lines = [line[:200] for line in done.stdout.splitlines()]
        # What a command says for itself may stand before the logs that it shows.
        reasons = [line for line in lines if line.startswith(f"{name}: ")]
        raise Failure("\n".join([f"{name} ended with {done.returncode}", *reasons, *lines[-25:]]))
