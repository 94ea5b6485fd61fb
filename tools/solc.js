// SPDX-License-Identifier: Apache-2.0
// Speaks solc's command line: --version, --help, --standard-json and --combined-json, from files or stdin.
"use strict";
const fs = require("fs");
const path = require("path");

const ROOT = path.join(__dirname, "..");
const PACKAGE = path.join(ROOT, "node_modules", "solc");
const IGNORED = ["--allow-paths", "--output-dir", "-o", "--error-codes", "--model-checker-engine"];
const IGNORED_FLAGS = ["--overwrite", "--pretty-json", "--no-color", "--color", "--no-import-callback"];

// Name of a --combined-json output, and where standard JSON has it; ABI and the like stay objects, as in solc.
const OUTPUTS = {
  abi: ["abi", (c) => c.abi],
  asm: ["evm.legacyAssembly", (c) => c.evm.legacyAssembly],
  bin: ["evm.bytecode.object", (c) => c.evm.bytecode.object],
  "bin-runtime": ["evm.deployedBytecode.object", (c) => c.evm.deployedBytecode.object],
  devdoc: ["devdoc", (c) => c.devdoc],
  "function-debug": ["evm.bytecode.functionDebugData", (c) => c.evm.bytecode.functionDebugData],
  "function-debug-runtime": [
    "evm.deployedBytecode.functionDebugData",
    (c) => c.evm.deployedBytecode.functionDebugData,
  ],
  "generated-sources": ["evm.bytecode.generatedSources", (c) => c.evm.bytecode.generatedSources],
  "generated-sources-runtime": [
    "evm.deployedBytecode.generatedSources",
    (c) => c.evm.deployedBytecode.generatedSources,
  ],
  hashes: ["evm.methodIdentifiers", (c) => c.evm.methodIdentifiers],
  metadata: ["metadata", (c) => c.metadata],
  opcodes: ["evm.bytecode.opcodes", (c) => c.evm.bytecode.opcodes],
  srcmap: ["evm.bytecode.sourceMap", (c) => c.evm.bytecode.sourceMap],
  "srcmap-runtime": ["evm.deployedBytecode.sourceMap", (c) => c.evm.deployedBytecode.sourceMap],
  "storage-layout": ["storageLayout", (c) => c.storageLayout],
  userdoc: ["userdoc", (c) => c.userdoc],
};

function fail(line) {
  console.error(line);
  process.exit(1);
}

/** Return the compiler's full version. Loading it takes half a second, so the answer is kept beside the caches. */
function fullVersion() {
  const { size, mtimeMs } = fs.statSync(path.join(PACKAGE, "soljson.js"));
  const kept = path.join(ROOT, ".cache", `solc-version-${size}-${Math.trunc(mtimeMs)}`);
  try {
    return fs.readFileSync(kept, "utf8");
  } catch {
    const version = require(PACKAGE).version();
    try {
      fs.mkdirSync(path.dirname(kept), { recursive: true });
      fs.writeFileSync(`${kept}.${process.pid}`, version);
      fs.renameSync(`${kept}.${process.pid}`, kept);
    } catch {
      // A read-only checkout is no reason to fail: the next call asks the compiler again.
    }
    return version;
  }
}

function parse(args) {
  const options = { files: [], roots: [], remappings: [], settings: { optimizer: { enabled: false, runs: 200 } } };
  const { settings } = options;
  const takes = {
    "--combined-json": (value) => (options.combined = value),
    "--base-path": (value) => options.roots.unshift(value),
    "--include-path": (value) => options.roots.push(value),
    "-I": (value) => options.roots.push(value),
    "--evm-version": (value) => (settings.evmVersion = value),
    "--optimize-runs": (value) => (settings.optimizer = { enabled: true, runs: Number(value) }),
    "--metadata-hash": (value) => (settings.metadata = { ...settings.metadata, bytecodeHash: value }),
  };
  const flags = {
    "--version": () => (options.version = true),
    "--help": () => (options.help = true),
    "--standard-json": () => (options.standard = true),
    "--optimize": () => (settings.optimizer.enabled = true),
    "--via-ir": () => (settings.viaIR = true),
    "--no-cbor-metadata": () => (settings.metadata = { ...settings.metadata, appendCBOR: false }),
    "-": () => (options.stdin = true),
  };
  for (let i = 0; i < args.length; i++) {
    const [name, inline] = args[i].startsWith("--") ? args[i].split(/=(.*)/s, 2) : [args[i]];
    if (flags[name]) flags[name]();
    else if (takes[name]) takes[name](inline ?? args[++i]);
    else if (IGNORED.includes(name)) i += inline === undefined ? 1 : 0;
    else if (!IGNORED_FLAGS.includes(name)) {
      if (name.startsWith("-")) fail(`unrecognised option '${args[i]}'`);
      (name.includes("=") ? options.remappings : options.files).push(name);
    }
  }
  return options;
}

/** Answer an import that the input does not carry, from base and include paths, else from the working folder. */
function reader(roots) {
  return (name) => {
    const found = (roots.length ? roots : [""]).map((root) => path.resolve(root, name)).find((file) => fs.existsSync(file));
    return found ? { contents: fs.readFileSync(found, "utf8") } : { error: `File not found: ${name}` };
  };
}

function compile(input, roots) {
  return require(PACKAGE).compile(input, { import: reader(roots) });
}

function standard({ files, roots }) {
  process.stdout.write(compile(fs.readFileSync(files[0] ?? 0, "utf8"), roots));
}

function combined({ combined: asked, files, roots, remappings, settings }) {
  const names = asked.split(",");
  const unknown = names.find((name) => name !== "ast" && !OUTPUTS[name]);
  if (unknown) fail(`Invalid option to --combined-json: ${unknown}`);
  const sources = files.length
    ? Object.fromEntries(files.map((file) => [file, { content: fs.readFileSync(file, "utf8") }]))
    : { "<stdin>": { content: fs.readFileSync(0, "utf8") } };
  const selection = names.filter((name) => OUTPUTS[name]).map((name) => OUTPUTS[name][0]);
  const outputSelection = { "*": { "*": selection, "": names.includes("ast") ? ["ast"] : [] } };
  const input = { language: "Solidity", sources, settings: { ...settings, remappings, outputSelection } };
  const output = JSON.parse(compile(JSON.stringify(input), roots));
  for (const { formattedMessage } of output.errors ?? []) process.stderr.write(formattedMessage);
  if ((output.errors ?? []).some(({ severity }) => severity === "error")) process.exit(1);
  process.stdout.write(JSON.stringify(inSolcsShape(output, names)));
}

function inSolcsShape(output, names) {
  const shaped = { contracts: {}, version: fullVersion() };
  for (const [file, contracts] of Object.entries(output.contracts ?? {}))
    for (const [name, contract] of Object.entries(contracts))
      shaped.contracts[`${file}:${name}`] = Object.fromEntries(
        names.filter((key) => OUTPUTS[key]).map((key) => [key, OUTPUTS[key][1](contract)]),
      );
  if (names.includes("ast")) {
    shaped.sourceList = Object.keys(output.sources);
    shaped.sources = Object.fromEntries(Object.entries(output.sources).map(([file, { ast }]) => [file, { AST: ast }]));
  }
  return shaped;
}

const options = parse(process.argv.slice(2));
if (options.version) console.log(`solc, the solidity compiler commandline interface\nVersion: ${fullVersion()}`);
else if (options.help) console.log(`solc, over the npm compiler\n\n  --combined-json ${["ast", ...Object.keys(OUTPUTS)].sort()}`);
else if (options.standard) standard(options);
else if (options.combined) combined(options);
else fail("tools/solc: speaks --version, --help, --standard-json and --combined-json");
