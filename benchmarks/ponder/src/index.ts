// SPDX-License-Identifier: Apache-2.0
import { ponder } from "ponder:registry";
import { position, transfer } from "ponder:schema";
import { zeroAddress } from "viem";

ponder.on("Token:Transfer", async ({ event, context }) => {
  const { from: sender, to: receiver, value: units } = event.args;
  const changedBlock = event.block.number;
  const add = (account: `0x${string}`, change: bigint) =>
    context.db
      .insert(position)
      .values({ account, balance: change, changedBlock })
      .onConflictDoUpdate((row) => ({ balance: row.balance + change, changedBlock }));
  if (sender !== zeroAddress) await add(sender, -units);
  if (receiver !== zeroAddress) await add(receiver, units);
  await context.db
    .insert(transfer)
    .values({ blockNumber: changedBlock, logIndex: event.log.logIndex, sender, receiver, units });
});
