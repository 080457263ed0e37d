"""Prints the billing account of a patient: client.py <patient id>, with an access token in ACCESS_TOKEN."""

import os
import sys

import grpc
from billing.v1.accounts_pb2 import AccountStatus, GetAccountRequest
from billing.v1.accounts_pb2_grpc import AccountsStub
from dapr.clients.grpc.interceptors import DaprClientInterceptor
from dapr.clients.health import DaprHealth
from dapr.conf import settings

# Longer than the system waits for its own parts.
SECONDS = 5


def billing() -> AccountsStub:
    """The service `billing`, as the own sidecar reaches it: the app id in the metadata says who is meant."""
    metadata = [("dapr-app-id", "billing"), ("dapr-api-token", settings.DAPR_API_TOKEN or "")]
    sidecar = grpc.insecure_channel(f"{settings.DAPR_RUNTIME_HOST}:{settings.DAPR_GRPC_PORT}")
    return AccountsStub(grpc.intercept_channel(sidecar, DaprClientInterceptor(metadata)))


def main() -> None:
    """Asks as the person whose token it is: what they may not see is not answered."""
    DaprHealth.wait_for_sidecar()
    authorization = ("authorization", f"Bearer {os.environ.get('ACCESS_TOKEN', '')}")
    request = GetAccountRequest(patient_id=sys.argv[1])
    try:
        account = billing().GetAccount(request, timeout=SECONDS, metadata=[authorization]).account
    except grpc.RpcError as error:
        sys.exit(f"refused: {error.code().name}: {error.details()}")
    print(f"account {account.account_id} of {account.patient_id} is {AccountStatus.Name(account.status)}")


if __name__ == "__main__":
    main()
