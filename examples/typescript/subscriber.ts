/** Prints the id and version of every patient who is registered, once. */

import { timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { DaprPubSubStatusEnum, DaprServer } from "@dapr/dapr";
import express from "express";
import type { PatientRegistered__Output as PatientRegistered } from "./generated/patient/v1/PatientRegistered.js";

const port = process.env["APP_PORT"] ?? "";
const token = Buffer.from(process.env["APP_API_TOKEN"] ?? "");
if (!port || !token.length) throw new Error("APP_PORT and APP_API_TOKEN are for the sidecar to say");

const app = express();

/** Lets in who knows the token, as the own sidecar does: nobody else on the machine may make up events. */
app.use((request, response, next) => {
  const shown = Buffer.from(request.get("dapr-api-token") ?? "");
  if (shown.length === token.length && timingSafeEqual(shown, token)) next();
  else response.sendStatus(401);
});

// Left to itself the SDK listens at every address of the machine.
app.listen = ((port: number) => createServer(app).listen(port, "127.0.0.1")) as typeof app.listen;

// The newest version seen of each patient. Events come at least once and in any order, so one that is no newer than this
// has been dealt with. A service that keeps something keeps this beside it, and writes both in one transaction.
const newest = new Map<string, bigint>();

/** Takes the data of one CloudEvent: `patient.v1.PatientRegistered` as proto JSON, which has 64 bits as text. */
function registered({ patient }: PatientRegistered): void {
  if (!patient) throw new Error("the event tells of nobody");
  const version = BigInt(patient.version);
  if (version <= (newest.get(patient.patientId) ?? 0n)) return;
  newest.set(patient.patientId, version);
  console.log(`registered ${patient.patientId} version ${version}`);
}

const server = new DaprServer({ serverHost: "127.0.0.1", serverPort: port, serverHttp: app });
await server.pubsub.subscribe("pubsub", "patient.registered", async (data: PatientRegistered) => {
  try {
    registered(data);
  } catch {
    // What cannot be read is delivered again. The SDK would take an exception for success, and the event would be lost.
    return DaprPubSubStatusEnum.RETRY;
  }
});
await server.start();
