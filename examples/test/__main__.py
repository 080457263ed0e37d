"""One patient is registered, and four programs that share no code with the system say what they know of them."""

import json
import signal
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from programs import LANGUAGES, Programs, printed
from system import EXAMPLES, Failure, System

# An example is short, or it is none.
LINES = 60
SOURCES = ("python/subscriber.py", "python/client.py", "typescript/subscriber.ts", "typescript/client.ts")

# A subscriber that is new waits until the broker has given it its part.
SECONDS = 30


def main() -> int:
    """Tries everything; what was started ends, however this ends."""
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    system = System()
    programs = Programs(system, Path(sys.argv[1]))
    try:
        passed = tell(system, programs)
    except (Failure, OSError) as failure:
        for log in sorted(programs.logs.iterdir()):
            lines = [line[:200] for line in log.read_text().splitlines()[-15:]]
            print("\n".join([f"\n{log.name}:", *lines]), file=sys.stderr)
        print(f"\nexamples: {failure}", file=sys.stderr)
        return 1
    finally:
        programs.end()
        system.down()
    print(f"{passed} passed, 0 failed, after {time.monotonic() - begun:.0f} s")
    return 0


def tell(system: System, programs: Programs) -> int:
    """The story, step by step; answers how many steps it had."""
    steps = 0

    def step(text: str) -> None:
        nonlocal steps
        steps += 1
        print(f"  {text}", flush=True)

    for source in SOURCES:
        lines = len((EXAMPLES / source).read_text().splitlines())
        expect(lines < LINES, f"examples/{source} has {lines} lines instead of less than {LINES}")
    step(f"each program has less than {LINES} lines")

    with ThreadPoolExecutor() as pool:
        made = pool.submit(programs.make)
        system.up()
        made.result()
    step("the system is ready, and the programs are made from its contracts")

    logs = {language: programs.subscribe(language) for language in LANGUAGES}
    _, answer = post(f"{system.url}/auth/login", system.administrator())
    token = answer["access_token"]
    # Found nowhere else: a name in what an example says could only be this one.
    name = f"Quellfang{uuid.uuid4().hex[:8]}"
    person = {"name": [{"family": name, "given": ["Odil"]}], "gender": "female", "birthDate": "1971-08-23"}
    headers = {"authorization": f"Bearer {token}", "idempotency-key": str(uuid.uuid4())}
    status, registered = post(f"{system.url}/api/patients", person, headers)
    expect(status == 201, f"the patient was not registered: {status} {registered}")
    patient, account = registered["id"], registered["billingAccount"]["id"]
    step("a patient is registered at the gateway")

    def both(token: str) -> dict[str, str]:
        with ThreadPoolExecutor() as pool:
            return dict(zip(LANGUAGES, pool.map(lambda language: programs.ask(language, patient, token), LANGUAGES)))

    told = f"account {account} of {patient} is ACCOUNT_STATUS_ACTIVE"
    for language, said in both(token).items():
        expect(told in said.splitlines(), f"the client in {language} said {said!r} instead of {told!r}")
        step(f"the client in {language} tells their account")
    for language, said in both("").items():
        expect("UNAUTHENTICATED" in said, f"without a token the client in {language} said {said!r}")
        step(f"the client in {language} is told nothing without a token")
    said = programs.ask("python", patient, token, app="example-subscriber-python")
    expect("PERMISSION_DENIED" in said, f"an app that may not ask said {said!r}")
    step("an app whose id dapr/access.yaml does not have for it is told nothing at all")

    expected = f"registered {patient} version 1"
    for language, log in logs.items():
        eventually(f"the subscriber in {language} prints {expected!r}", lambda: expected in printed(log))
        expect(deliver_again(programs, language, patient, wrong=True) == 401, f"{language} takes events from anybody")
        status = deliver_again(programs, language, patient)
        expect(status == 200, f"the subscriber in {language} answered {status} to an event that came again")
        times = printed(log).count(expected)
        expect(times == 1, f"the subscriber in {language} printed {expected!r} {times} times")
        step(f"the subscriber in {language} tells of them once, however often the event comes")

    # Else it would give up half a minute after its start, which is later than this test looks.
    started = lambda: any("Sidecar Started" in line for line in printed(logs["typescript"]))
    eventually("the SDK for JavaScript is answered by the subscriber's sidecar", started)
    for log in programs.logs.iterdir():
        expect(name not in log.read_text(), f"the patient's name is in {log.name}")
        expect(token not in log.read_text(), f"an access token is in {log.name}")
    step("no name and no token is in what they said")
    return steps


def deliver_again(programs: Programs, language: str, patient: str, wrong: bool = False) -> int:
    """Gives a subscriber the event once more, as its sidecar would, or as somebody who does not know the token."""
    url = f"http://127.0.0.1:{programs.port(f'example-subscriber-{language}')}"
    token = {"dapr-api-token": programs.system.tokens()["APP_API_TOKEN"]}
    _, (subscription,) = send(urllib.request.Request(f"{url}/dapr/subscribe", headers=token))
    route = subscription.get("route") or subscription["routes"]["default"]
    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "patient",
        "type": "patient.v1.PatientRegistered",
        "datacontenttype": "application/json",
        "data": {"patient": {"patientId": patient, "version": "1"}},
    }
    headers = {"content-type": "application/cloudevents+json"} | ({"dapr-api-token": "wrong"} if wrong else token)
    status, _ = post(f"{url}/{route.lstrip('/')}", event, headers)
    return status


def post(url: str, body: dict, headers: dict[str, str] | None = None) -> tuple[int, dict]:
    """The status and body of the answer."""
    headers = {"content-type": "application/json"} | (headers or {})
    return send(urllib.request.Request(url, json.dumps(body).encode(), headers))


def send(request: urllib.request.Request) -> tuple[int, dict]:
    """The status of the answer, whatever it is, and its body if that is JSON."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        text = refusal.read()
        return refusal.code, json.loads(text) if text.startswith(b"{") else {}


def eventually(what: str, holds: Callable[[], bool]) -> None:
    """Waits until it holds."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        expect(time.monotonic() < deadline, f"not within {SECONDS} s: {what}")
        time.sleep(0.1)


def expect(holds: bool, otherwise: str) -> None:
    """Ends the test with this reason unless it holds."""
    if not holds:
        raise Failure(otherwise)


sys.exit(main())
