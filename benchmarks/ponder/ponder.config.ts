// SPDX-License-Identifier: Apache-2.0
// The same events that benchmarks/mirror.py reads: one token's transfers on a local node.
import { createConfig } from "ponder";
import { parseAbi } from "viem";

const setting = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

export default createConfig({
  database: { kind: "pglite", directory: setting("BENCH_DATABASE") },
  chains: { bench: { id: Number(setting("BENCH_CHAIN_ID")), rpc: setting("BENCH_RPC"), maxRequestsPerSecond: 10_000 } },
  contracts: {
    Token: {
      chain: "bench",
      abi: parseAbi(["event Transfer(address indexed from, address indexed to, uint256 value)"]),
      address: setting("BENCH_TOKEN") as `0x${string}`,
      startBlock: Number(setting("BENCH_FIRST")),
      endBlock: Number(setting("BENCH_LAST")),
    },
  },
});
