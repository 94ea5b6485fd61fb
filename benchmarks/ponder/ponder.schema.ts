// SPDX-License-Identifier: Apache-2.0
// What the ledger keeps of transfers: positions, and each change of one.
import { onchainTable, primaryKey } from "ponder";

export const position = onchainTable("position", (t) => ({
  account: t.hex().primaryKey(),
  balance: t.bigint().notNull(),
  changedBlock: t.bigint().notNull(),
}));

export const transfer = onchainTable(
  "transfer",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    sender: t.hex().notNull(),
    receiver: t.hex().notNull(),
    units: t.bigint().notNull(),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }) }),
);
