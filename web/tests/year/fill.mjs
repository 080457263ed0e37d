/** @file screenshots.sh calls it: gives a running system a clinic that does not exist, with the figures of a year, for pictures of the page. */

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const { PMS_URL, PMS_ADMIN_EMAIL, PMS_ADMIN_PASSWORD, PMS_HOME } = process.env;
if (!PMS_URL || !PMS_HOME) throw new Error('PMS_HOME says where the system is, and eval "$(make -s env)" the rest');

const SYSTEM = "http://www.ama-assn.org/go/cpt";
const WEEK = [
  { days: ["mon", "tue", "wed", "thu", "fri"], start: "08:00", end: "12:00" },
  { days: ["mon", "tue", "wed", "thu", "fri"], start: "13:00", end: "17:00" },
];
const CLINICS = ["Harbour Street", "Old Mill"];
const PRACTITIONERS = ["Dr R. Adeyemi", "Dr K. Lindqvist", "Dr M. Osei", "Dr P. Moreau", "T. Brandt, nurse practitioner", "Dr S. Iyer"];
// What it is, its code, price in cents, and how often of a hundred times it is what somebody comes for.
const SERVICES = [
  ["Office visit, established", "99213", 15_500, 44],
  ["Office visit, extended", "99214", 21_000, 18],
  ["Office visit, new patient", "99203", 19_500, 11],
  ["Annual check-up", "99396", 23_000, 9],
  ["Vaccination", "90471", 4_800, 8],
  ["Electrocardiogram", "93000", 6_500, 5],
  ["Wound care", "97597", 13_500, 3],
  ["Travel advice", "99401", 7_000, 2],
];
const PAYERS = [
  ["Meridian Health", "commercial"],
  ["Blue Harbour", "ppo"],
  ["State Medicaid", "medicaid"],
];

const { access_token: token } = await post("/auth/login", { email: PMS_ADMIN_EMAIL, password: PMS_ADMIN_PASSWORD });

/** Creates something, or finds what was created by the same key before. */
async function post(path, body) {
  const headers = { "content-type": "application/json", "idempotency-key": `year ${path} ${body.name}`, ...(path !== "/auth/login" && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(PMS_URL + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const clinics = [];
for (const name of CLINICS) clinics.push((await post("/api/clinics", { name, timeZone: "America/New_York" })).id);
const practitioners = [];
for (const [at, name] of PRACTITIONERS.entries()) {
  const clinicId = clinics[at % clinics.length];
  const { id } = await post("/api/practitioners", { name, schedules: [{ clinicId, from: "2020-01-01", week: WEEK }] });
  practitioners.push({ id, clinicId });
}
const services = [];
for (const [name, code, price, share] of SERVICES) {
  const { id } = await post("/api/services", { name, durationMinutes: 30, priceCode: { system: SYSTEM, code } });
  services.push({ id, code, price, share: share / 100 });
}
// Nobody books it: whoever sees a patient asks for it. Its figures have a name all the same.
await post("/api/services", { name: "Blood count", durationMinutes: 15, active: false, priceCode: { system: SYSTEM, code: "85025" } });
const payers = [];
for (const [at, [name, filing]] of PAYERS.entries()) {
  payers.push((await post("/api/billing/payers", { name, filing, electronicId: `YEAR0${at}`, filingDays: 180, appealDays: 90, alertDays: 14 })).payerId);
}

// The figures of a year that was cannot be asked for through the gateway, which keeps its own time.
const { "superuser-password": password } = JSON.parse(readFileSync(`${PMS_HOME}/secrets/local.json`, "utf8"));
const programs = execFileSync("sh", ["-c", "ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1"], { encoding: "utf8" }).trim();
const psql = programs ? `${programs}/psql` : "psql";
const connection = ["--host", "127.0.0.1", "--port", String(Number(new URL(PMS_URL).port) + 1), "--username", "postgres", "--dbname", "analytics-service-db"];
const options = ["--no-psqlrc", "--quiet", "--set", `places=${JSON.stringify({ practitioners, services, payers })}`, "--file", new URL("year.sql", import.meta.url).pathname];
const { status } = spawnSync(psql, [...connection, ...options], { env: { ...process.env, PGPASSWORD: password }, stdio: ["ignore", "inherit", "inherit"] });
process.exitCode = status ?? 1;
