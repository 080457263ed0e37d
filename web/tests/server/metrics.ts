/** @file The metrics of a clinic that does not exist: what is counted, and about how much of it. */

import type { Dimension, Group, Metric, Topic, Unit } from "../../src/api/figures.ts";
import type { Listed } from "../../src/api/names.ts";

/** A metric, and what a weekday of it is like. */
export interface Sample extends Metric {
  /** A usual weekday; of a rate or a duration, a usual value. */
  usual: number;
}

type Row = [metric: string, title: string, unit: Unit, usual: number, definition: string, finest?: Group];

const rows: Record<Topic, { dimensions: Dimension[]; rows: Row[] }> = {
  patients: {
    dimensions: ["clinic"],
    rows: [
      ["patient-load", "Patient load", "count", 86, "Encounters of which the patient was in the clinic in the hour, by when they arrived and were discharged.", "hour"],
      ["registrations", "Registrations", "count", 14, "Patients who were registered, at the moment of their registration.", "hour"],
      ["panel", "Panel", "count", 4120, "Patients with an encounter in the last 18 months."],
      ["new-patients", "New patients", "count", 12, "Patients whose first encounter was in the group."],
      ["returning-patients", "Returning patients", "count", 61, "Patients with an encounter in the group and one before it."],
    ],
  },
  appointments: {
    dimensions: ["clinic", "practitioner", "service"],
    rows: [
      ["bookings", "Bookings", "count", 92, "Appointments that were booked, at the moment of booking.", "hour"],
      ["appointments-booked", "Appointments", "count", 88, "Appointments whose time is in the group and that were not entered in error."],
      ["appointments-kept", "Kept", "count", 71, "Appointments of the group that were fulfilled."],
      ["appointments-cancelled", "Cancelled", "count", 9, "Appointments of the group that were cancelled."],
      ["appointments-cancelled-late", "Cancelled late", "count", 4, "Those that were cancelled less than 24 hours before their time."],
      ["late-cancel-rate", "Late-cancel rate", "ratio", 0.044, "Cancelled late divided by appointments."],
      ["no-shows", "No-shows", "count", 6, "Appointments of the group that nobody came to."],
      ["no-show-rate", "No-show rate", "ratio", 0.078, "No-shows divided by kept and no-shows."],
      ["no-show-rate-of-booked", "No-show rate of booked", "ratio", 0.068, "No-shows divided by appointments."],
      ["reschedules", "Reschedules", "count", 7, "Appointments that were moved to another time, at the moment of moving."],
      ["lead-time-median", "Lead time, median", "days", 9.5, "From booking to the time of the appointment."],
      ["lead-time-p90", "Lead time, 90th percentile", "days", 27, "From booking to the time of the appointment; nine of ten are shorter."],
      ["wait-time-median", "Waiting time, median", "minutes", 12, "From arrival to the begin of the encounter."],
      ["wait-time-p90", "Waiting time, 90th percentile", "minutes", 31, "From arrival to the begin of the encounter; nine of ten are shorter."],
      ["cycle-time-median", "Length of a visit, median", "minutes", 38, "From arrival to discharge."],
      ["cycle-time-p90", "Length of a visit, 90th percentile", "minutes", 74, "From arrival to discharge; nine of ten are shorter."],
      ["waitlist-filled", "Filled from the waiting list", "count", 3, "Times that became free and were taken by somebody who waited."],
      ["waitlist-fill-rate", "Waiting-list fill rate", "ratio", 0.41, "Filled from the waiting list divided by times that became free."],
      ["utilisation", "Utilisation, booked", "ratio", 0.83, "Booked minutes divided by minutes that were offered."],
      ["utilisation-kept", "Utilisation, kept", "ratio", 0.71, "Kept minutes divided by minutes that were offered."],
    ],
  },
  services: {
    dimensions: ["clinic", "practitioner", "service", "family"],
    rows: [
      ["encounters", "Encounters", "count", 73, "Encounters that were finished."],
      ["service-units", "Units of service", "count", 132, "Units of the lines of finished encounters."],
    ],
  },
  revenue: {
    dimensions: ["clinic", "practitioner", "service", "payer", "age"],
    rows: [
      ["charged", "Charged", "money", 2_140_000, "What invoices charge, on the day on which they are issued."],
      ["allowed", "Allowed", "money", 1_480_000, "What payers allow of what was charged, on the day of their answer."],
      ["collected", "Collected", "money", 1_310_000, "Payments less refunds, on the day on which they are booked."],
      ["outstanding", "Outstanding", "money", 48_700_000, "What is owed at the end of the group."],
      ["net-collection-rate", "Net collection rate", "ratio", 0.954, "Collected divided by allowed, of what was charged in the group."],
      ["days-in-ar", "Days in receivables", "days", 34.2, "Outstanding divided by the average charge of a day in the last 90 days."],
      ["receivables-by-age", "Receivables by age", "money", 48_700_000, "What is open of invoices now, by the days since they were issued."],
      ["ar-over-90-rate", "Receivables over 90 days", "ratio", 0.117, "What has been outstanding for more than 90 days, divided by all that is."],
    ],
  },
  claims: {
    dimensions: ["payer"],
    rows: [
      ["claims-submitted", "Claims submitted", "count", 64, "Claims that were sent to a payer."],
      ["claims-answered", "Claims answered", "count", 58, "Claims that a payer has decided."],
      ["claims-denied", "Claims denied", "count", 5, "Those of which every line was denied."],
      ["denial-rate", "Denial rate", "ratio", 0.086, "Claims denied divided by claims answered."],
      ["first-pass-rate", "First-pass rate", "ratio", 0.902, "Claims that were paid without having been sent a second time, divided by claims answered."],
      ["denied-amount", "Denied amount", "money", 118_000, "What the denied claims had asked for."],
    ],
  },
};

/** All of them. */
export const SAMPLES: Sample[] = Object.entries(rows).flatMap(([topic, { dimensions, rows }]) =>
  rows.map(([metric, title, unit, usual, definition, finest]) => ({
    metric,
    title,
    definition,
    unit,
    dimensions: dimensions.filter((dimension) => dimension !== "age" || metric === "receivables-by-age"),
    finest: finest ?? "day",
    topic: topic as Topic,
    usual,
  })),
);

/** The clinics, practitioners, services and payers of it, as lists have them. */
export const NAMED: Record<string, Listed[]> = {
  clinic: ["Harbour Street", "Old Mill", "Northgate"].map((name, at) => ({ id: `0197a1b${at}-7c11-7000-8000-1b2c3d4e5f60`, name })),
  practitioner: ["Dr R. Adeyemi", "Dr K. Lindqvist", "Dr M. Osei", "Nurse practitioner T. Brandt"].map((name, at) => ({ id: `0197a2b${at}-7c11-7000-8000-1b2c3d4e5f60`, name })),
  service: [
    { code: "99213", name: "Office visit, established" },
    { code: "99203", name: "Office visit, new" },
    { code: "99396", name: "Annual check-up" },
    { code: "90471", name: "Vaccination" },
    { code: "85025", name: "Blood panel" },
    { code: "93000", name: "Electrocardiogram" },
    { code: "97110", name: "Physiotherapy, 30 minutes" },
    { code: "97597", name: "Wound care" },
    { code: "76700", name: "Ultrasound" },
    { code: "99401", name: "Travel advice" },
  ].map(({ code, name }, at) => ({ id: `0197a3b${at}-7c11-7000-8000-1b2c3d4e5f60`, name, priceCode: { code } })),
  payer: ["Meridian Health", "Blue Harbour", "State Medicaid"].map((name, at) => ({ payerId: `0197a4b${at}-7c11-7000-8000-1b2c3d4e5f60`, name })),
};
