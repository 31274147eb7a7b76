/** A real S3 server for tests: one monitor, one OSD in memory and a gateway of Ceph, on loopback. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { machineClock } from "../http.ts";
import type { S3Server } from "./s3-server.ts";
import { answersAt, freePort, ServerProcess } from "./server-process.ts";

const PROGRAMS = ["ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw"];
const COMMAND_MS_MAX = 60_000;
const UP_MS_MAX = 90_000;
const OSD_TRIES_MAX = 20;
const OSD_PAUSE_MS = 500;
// Clusters of several test runs never meet, so these may be the same.
const FSID = "5d3f1a0e-7a52-4c1b-9d0c-0c1f6e2a7b11";
const DISK_UUID = "b2a96f0c-3c0e-4f6e-8a53-9f7d1c4e2d60";
const KEYS = { accessKeyId: "testaccess", secretAccessKey: "testsecret123" };
const run = promisify(execFile);

/** A gateway whose keys come and go. */
export interface Radosgw extends S3Server {
  addKey(keys: S3Server["keys"]): Promise<void>;
  removeKey(accessKeyId: string): Promise<void>;
}

/** Whether the programs are installed (Debian's ceph-mon, ceph-osd, radosgw and ceph-common). */
export function hasRadosgw(): boolean {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return PROGRAMS.every((name) => folders.some((folder) => existsSync(join(folder, name))));
}

/** Resolves when the gateway answers, a quarter of a minute later. */
export async function startRadosgw(): Promise<Radosgw> {
  const directory = await mkdtemp(join(tmpdir(), "tidelake-radosgw-"));
  const parts = new AsyncDisposableStack();
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  try {
    const cluster = await prepare(directory);
    await startMonitor(cluster, parts);
    await startDisk(cluster, parts);
    await startGateway(cluster, parts);
    return {
      endpoint: cluster.endpoint,
      keys: KEYS,
      addKey: (keys) => administer(cluster, "key", "create", ...keyWords(keys)),
      removeKey: (id) => administer(cluster, "key", "rm", `--access-key=${id}`),
      [Symbol.asyncDispose]: () => parts.disposeAsync(),
    };
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

interface Cluster {
  readonly directory: string;
  readonly monitorPort: number;
  readonly endpoint: string;
  /** What every program is told. */
  readonly common: readonly string[];
}

async function prepare(directory: string): Promise<Cluster> {
  for (const name of ["monitor", "disk", "gateway", "log", "run"])
    await mkdir(join(directory, name));
  const [monitorPort, port] = [await freePort(), await freePort()];
  const configuration = join(directory, "ceph.conf");
  await writeFile(configuration, configurationText({ directory, monitorPort, port }));
  const common = ["-c", configuration];
  return { directory, monitorPort, endpoint: `http://127.0.0.1:${port}`, common };
}

interface Figures {
  readonly directory: string;
  readonly monitorPort: number;
  readonly port: number;
}

function configurationText({ directory, monitorPort, port }: Figures): string {
  return `
[global]
fsid = ${FSID}
mon host = v1:127.0.0.1:${monitorPort}
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
public network = 127.0.0.0/8
ms bind msgr2 = false
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
run dir = ${directory}/run
admin socket = ${directory}/run/$cluster-$name.asok
log file = ${directory}/log/$name.log
mon cluster log file = ${directory}/log/cluster.log
keyring = ${directory}/keyring
[mon.a]
mon data = ${directory}/monitor
mon addr = 127.0.0.1:${monitorPort}
mon data avail warn = 2
mon data avail crit = 1
[osd.0]
osd data = ${directory}/disk
osd objectstore = memstore
memstore device bytes = 4294967296
osd class load list = *
osd class default list = *
osd op num shards = 2
[client.rgw.a]
rgw data = ${directory}/gateway
# Without tcp_nodelay small answers wait 40 ms.
rgw frontends = beast endpoint=127.0.0.1:${port} tcp_nodelay=1
rgw thread pool size = 64
`;
}

async function startMonitor(cluster: Cluster, parts: AsyncDisposableStack): Promise<void> {
  const { directory, common } = cluster;
  const keyring = join(directory, "keyring");
  const map = join(directory, "monmap");
  const address = `[v1:127.0.0.1:${cluster.monitorPort}]`;
  await command(
    "ceph-authtool",
    "--create-keyring",
    keyring,
    "--gen-key",
    "-n",
    "mon.",
    "--cap",
    "mon",
    "allow *",
  );
  await command("monmaptool", "--create", "--addv", "a", address, "--fsid", FSID, map);
  await command("ceph-mon", ...common, "-i", "a", "--mkfs", "--monmap", map, "--keyring", keyring);
  const log = join(directory, "log/monitor.out");
  const monitor = parts.use(new ServerProcess("ceph-mon", [...common, "-i", "a", "-f"], log));
  await monitor.untilUp(
    () => succeeds("ceph", ...common, "--connect-timeout", "2", "mon", "stat"),
    UP_MS_MAX,
  );
}

async function startDisk(cluster: Cluster, parts: AsyncDisposableStack): Promise<void> {
  const { directory, common } = cluster;
  // A monitor that is up may not take commands yet; to ask again for the same disk changes nothing.
  const addDisk = ["ceph", ...common, "osd", "new", DISK_UUID, "0"] as const;
  for (let left = OSD_TRIES_MAX; !(await succeeds(...addDisk)); left -= 1) {
    if (left === 0) await command(...addDisk);
    await machineClock.sleep(OSD_PAUSE_MS);
  }
  await command(
    "ceph-osd",
    ...common,
    "-i",
    "0",
    "--mkfs",
    "--osd-uuid",
    DISK_UUID,
    "--no-mon-config",
  );
  const isUp = async () => (await output("ceph", ...common, "osd", "stat")).includes("1 up");
  for (let attempt = 1; ; attempt += 1) {
    const log = join(directory, `log/disk-${attempt}.out`);
    const disk = parts.use(new ServerProcess("ceph-osd", [...common, "-i", "0", "-f"], log));
    try {
      await disk.untilUp(isUp, UP_MS_MAX);
      return;
    } catch (error) {
      // Now and then the monitor does not know the cluster's id yet and the disk ends.
      if (!disk.ended || attempt === OSD_TRIES_MAX) throw error;
      await machineClock.sleep(OSD_PAUSE_MS);
    }
  }
}

async function startGateway(cluster: Cluster, parts: AsyncDisposableStack): Promise<void> {
  const { directory, endpoint } = cluster;
  const common = [...cluster.common, "-n", "client.rgw.a"];
  const log = join(directory, "log/gateway.out");
  const gateway = parts.use(new ServerProcess("radosgw", [...common, "-f"], log));
  await gateway.untilUp(() => answersAt(endpoint), UP_MS_MAX);
  await administer(cluster, "user", "create", "--display-name=test", ...keyWords(KEYS));
}

async function administer(cluster: Cluster, ...words: readonly string[]): Promise<void> {
  const common = [...cluster.common, "-n", "client.rgw.a"];
  await command("radosgw-admin", ...common, ...words, "--uid=test");
}

function keyWords({ accessKeyId, secretAccessKey }: S3Server["keys"]): readonly string[] {
  return [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
}

async function command(program: string, ...words: readonly string[]): Promise<void> {
  await run(program, words, { timeout: COMMAND_MS_MAX });
}

async function output(program: string, ...words: readonly string[]): Promise<string> {
  return run(program, words, { timeout: COMMAND_MS_MAX }).then(
    ({ stdout }) => stdout,
    () => "",
  );
}

async function succeeds(program: string, ...words: readonly string[]): Promise<boolean> {
  return command(program, ...words).then(
    () => true,
    () => false,
  );
}
