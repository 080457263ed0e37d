/** Prints the billing account of a patient: client.js <patient id>, with an access token in ACCESS_TOKEN. */

import { CommunicationProtocolEnum, DaprClient } from "@dapr/dapr";
import { credentials, loadPackageDefinition, Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { GetAccountResponse__Output as Answer } from "./generated/billing/v1/GetAccountResponse.js";
import type { ProtoGrpcType } from "./generated/accounts.js";

/** Longer than the system waits for its own parts. */
const MILLISECONDS = 5_000;

// The contract. Enums by their names, 64 bits as text: both as in proto JSON.
const contract = loadSync("billing/v1/accounts.proto", {
  includeDirs: [process.env["PROTO_DIRECTORY"] ?? "../../proto"],
  enums: String,
  longs: String,
  defaults: true,
});
const { Accounts } = (loadPackageDefinition(contract) as unknown as ProtoGrpcType).billing.v1;

const dapr = new DaprClient({ communicationProtocol: CommunicationProtocolEnum.GRPC });
const { daprHost, daprPort, daprApiToken } = dapr.options;
await dapr.start();

// The service `billing`, as the own sidecar reaches it: the app id in the metadata says who is meant, and the person
// whose token it is may see the account or not.
const billing = new Accounts(`${daprHost}:${daprPort}`, credentials.createInsecure());
const metadata = new Metadata();
metadata.set("dapr-app-id", "billing");
metadata.set("dapr-api-token", daprApiToken ?? "");
metadata.set("authorization", `Bearer ${process.env["ACCESS_TOKEN"] ?? ""}`);

const request = { patientId: process.argv[2] ?? "" };
const options = { deadline: Date.now() + MILLISECONDS };
billing.getAccount(request, metadata, options, (error: ServiceError | null, answer?: Answer) => {
  const account = answer?.account;
  if (error || !account) {
    console.error(error ? `refused: ${status[error.code]}: ${error.details}` : "no account was answered");
    process.exitCode = 1;
  } else {
    console.log(`account ${account.accountId} of ${account.patientId} is ${account.status}`);
  }
  billing.close();
});
