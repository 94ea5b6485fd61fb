// SPDX-License-Identifier: Apache-2.0
// Ponder wants a server: this one lets the benchmark count what was indexed.
import { db } from "ponder:api";
import { position, transfer } from "ponder:schema";
import { Hono } from "hono";
import { count, sum } from "ponder";

const app = new Hono();
app.get("/indexed", async (c) => {
  const [events] = await db.select({ events: count() }).from(transfer);
  const [held] = await db.select({ units: sum(position.balance) }).from(position);
  return c.json({ events: Number(events?.events), units: held?.units });
});
export default app;
