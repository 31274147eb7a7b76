/** The command lines of the other server's guide to clusters, as it prints them, slips included; names of its page are filled in. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { run } from "../testing/run.ts";
import { isUsageError } from "../values/usage.ts";
import { prepared } from "./testing/prepared.ts";

/** What a block says, with the address that the node then listens on. */
interface Node {
  readonly title: string;
  readonly text: string;
  readonly node: string;
  readonly mode: string;
  readonly address: string;
}

const KEYS = `--aws-access-key-id AKID \\
  --aws-secret-access-key SECRET`;

function serve(node: string, mode: string, bind = ""): string {
  return `influxdb3 serve \\
  --node-id ${node} \\
  --cluster-id cluster01 \\
  --mode ${mode} \\
  --object-store s3 \\
  --bucket influxdb-3-enterprise-storage \\
${bind}  ${KEYS}
`;
}

function bound(address: string): string {
  return `  --http-bind ${address} \\\n`;
}

const COMMENT = `## NODE 1 compacts stored data

# Example variables
# node-id: 'host01'

`;

const NODES: readonly Node[] = [
  ...["localhost:8181", "http://localhost:8181"].map((address) => ({
    title: `basic, node 1, on ${address}`,
    text: COMMENT + serve("host01", "ingest,query,compact", bound(address)),
    node: "host01",
    mode: "ingest,query,compact",
    address: "localhost:8181",
  })),
  {
    title: "basic, node 2",
    text: serve("host02", "ingest,query", bound("localhost:8282")),
    node: "host02",
    mode: "ingest,query",
    address: "localhost:8282",
  },
  {
    title: "a dedicated compactor, without an address",
    text: serve("host03", "compact"),
    node: "host03",
    mode: "compact",
    address: "0.0.0.0:8181",
  },
  {
    title: "isolated, node 2, ingest alone",
    text: serve("host02", "ingest", bound("localhost:8282")),
    node: "host02",
    mode: "ingest",
    address: "localhost:8282",
  },
  {
    title: "isolated, node 4, query alone",
    text: serve("host04", "query", bound("localhost:8383")),
    node: "host04",
    mode: "query",
    address: "localhost:8383",
  },
];

/** Blocks that say where the objects are in other clouds; the rest of the command stands for their `# ...`. */
const STORES: readonly { title: string; text: string; store: object }[] = [
  {
    title: "Azure, with its key",
    text: `influxdb3 serve --node-id host01 --cluster-id cluster01 \\
  --object-store azure \\
  --bucket container \\
  --azure-storage-account account \\
  --azure-storage-access-key U0VDUkVU
`,
    store: { kind: "azure", bucket: "container", account: "account", accessKey: "U0VDUkVU" },
  },
  {
    title: "Azure, with its key under the name that the text gives it",
    text: `influxdb3 serve --node-id host01 --cluster-id cluster01 \\
  --object-store azure \\
  --bucket container \\
  --azure-storage-account account \\
  --aws-secret-access-key U0VDUkVU
`,
    store: { kind: "azure", account: "account", accessKey: "U0VDUkVU" },
  },
  {
    title: "Google",
    text: `influxdb3 serve --node-id host01 --cluster-id cluster01 \\
  --object-store google \\
  --bucket bucket \\
  --google-service-account account.json
`,
    store: { kind: "google", bucket: "bucket", serviceAccountPath: "/home/ada/account.json" },
  },
];

/** Blocks that cannot be meant as they stand, and what is missing. */
const SLIPPED: readonly { title: string; text: string; missing: RegExp }[] = [
  {
    title: "isolated, node 3: a secret without its option",
    text: `influxdb3 serve \\
    --node-id host03 \\
    --cluster-id cluster01 \\
    --mode compact \\
    --object-store s3 \\
    --bucket influxdb-3-enterprise-storage \\
    --aws-access-key-id AKID \\
     SECRET
`,
    missing: /the option --aws-secret-access-key is missing/,
  },
  {
    title: "isolated, node 5: a secret without its option",
    text: serve("host05", "query", bound("localhost:8484")).replace("--aws-secret-access-key ", ""),
    missing: /the option --aws-secret-access-key is missing/,
  },
  {
    title: "an account's key without its option",
    text: `influxdb3 serve --node-id host01 --cluster-id cluster01 --object-store azure \\
  --bucket container --azure-storage-account account \\
  SECRET
`,
    missing: /the option --azure-storage-access-key is missing/,
  },
  {
    title: "a comment that ends the command before its options",
    text: `influxdb3 serve \\
  # ...
  --object-store s3 \\
  --bucket AWS_BUCKET_NAME \\
  ${KEYS}
`,
    missing: /the option --node-id <NODE_ID> \(or the variable INFLUXDB3_NODE_ID\) is required/,
  },
  {
    title: "a query whose first line has no backslash",
    text: `influxdb3 query \\
  --host http://localhost:8585
  --token AUTH_TOKEN \\
  --database DATABASE_NAME \\
  "QUERY"
`,
    missing: /the option --database <DATABASE_NAME> \(or the variable \w+\) is required/,
  },
];

/** The words of the first command that a shell makes of `text`, without the program's name. */
function wordsOf(text: string): readonly string[] {
  const joined = text.replaceAll("\\\n", " ");
  const lines = joined.split("\n").map((line) => line.replace(/(^|\s)#.*$/, "").trim());
  const [program, ...words] = (lines.find((line) => line !== "") ?? "").split(/\s+/);
  assert.equal(program, "influxdb3");
  return words.map((word) => word.replace(/^"(.*)"$/, "$1"));
}

suite("the commands of a guide", () => {
  for (const { title, text, node, mode, address } of NODES)
    test(title, () => {
      const [command, ...words] = wordsOf(text);
      assert.equal(command, "serve");
      const { config, warnings } = prepared([...words, "--without-auth"]);
      assert.deepEqual(warnings, []);
      assert.partialDeepStrictEqual(config, {
        nodeId: node,
        clusterId: "cluster01",
        modes: mode.split(","),
        httpBind: address,
        store: {
          kind: "s3",
          bucket: "influxdb-3-enterprise-storage",
          keys: { accessKeyId: "AKID", secretAccessKey: "SECRET" },
        },
      });
    });

  for (const { title, text, store } of STORES)
    test(title, () => {
      const words = [...wordsOf(text).slice(1), "--without-auth"];
      const { config, warnings } = prepared(words);
      assert.partialDeepStrictEqual(config.store, store);
      assert.deepEqual(warnings, []);
    });

  for (const { title, text, missing } of SLIPPED)
    test(title, async () => {
      const result = await run(wordsOf(text));
      assert.equal(result.exitCode, 2);
      assert.equal(result.out, "");
      assert.match(result.error, missing);
      assert.equal(result.error.split("\n").length, 2);
      assert.ok(!result.error.includes("SECRET"), "a secret is not shown");
    });
});

suite("a word that belongs to no option", () => {
  const base = ["--node-id", "a", "--cluster-id", "b", "--object-store", "memory"];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["here"], /^no option stands before 'here': give --option value, and '\\' at the end of each/],
    [["--aws-access-key-id", "x", "here"], /--aws-secret-access-key is missing/],
    [["--aws-access-key-id", "x", "--aws-secret-access-key", "y", "here"], /stands before 'here'/],
    [["--azure-storage-account", "x", "here"], /--azure-storage-access-key is missing/],
    [
      ["--azure-storage-account", "x", "--aws-secret-access-key", "y", "here"],
      /no option stands before 'here'/,
    ],
  ];
  for (const [words, message] of cases)
    test(`${words.join(" ")} is refused`, () => {
      assert.throws(
        () => prepared([...base, ...words]),
        (error) => isUsageError(error) && message.test(error.message),
      );
    });
});
