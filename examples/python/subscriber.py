"""Prints the id and version of every patient who is registered, once."""

import hmac
import os

import uvicorn
from dapr.ext.fastapi import DaprApp
from fastapi import Body, Depends, FastAPI, Header, HTTPException

PORT = int(os.environ["APP_PORT"])
TOKEN = os.environ["APP_API_TOKEN"]


def from_the_sidecar(dapr_api_token: str = Header(default="")) -> None:
    """Lets in who knows the token, as the own sidecar does: nobody else on the machine may make up events."""
    if not hmac.compare_digest(dapr_api_token.encode(), TOKEN.encode()):
        raise HTTPException(401)


app = FastAPI(openapi_url=None, dependencies=[Depends(from_the_sidecar)])

# The newest version seen of each patient. Events come at least once and in any order, so one that is no newer than this
# has been dealt with. A service that keeps something keeps this beside it, and writes both in one transaction.
newest: dict[str, int] = {}


@DaprApp(app).subscribe(pubsub="pubsub", topic="patient.registered")
async def registered(event: dict = Body()) -> dict:
    """Takes one CloudEvent, the data of which is `patient.v1.PatientRegistered` as proto JSON.

    What cannot be read is an error to the sidecar, which then delivers the event again.
    """
    patient = event["data"]["patient"]
    # Proto JSON has 64 bits as text.
    patient_id, version = patient["patientId"], int(patient["version"])
    if version > newest.get(patient_id, 0):
        newest[patient_id] = version
        print(f"registered {patient_id} version {version}", flush=True)
    return {"status": "SUCCESS"}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
