import { Signal } from "#base/async.ts";
import type { DbError } from "#base/errors.ts";
import type { Change } from "#raft/configuration/change.ts";
import {
  APPEND_THREAD,
  APPLY_THREAD,
  type ConfigurationState,
  type Message,
  message,
  NOBODY,
  type PeerId,
  type SoftState,
} from "#raft/message.ts";
import { RaftNode, type Status } from "#raft/node.ts";
import type { DurableLog } from "../log/durable-log.ts";
import { Applying } from "./applying.ts";
import { hasNewMember, logStorage } from "./log-storage.ts";
import { failureOf, type MemberDisk, NO_MARK, openDisk } from "./member-disk.ts";
import {
  CORE_DEFAULTS,
  MEMBER_DEFAULTS,
  type MemberOptions,
  type SettledOptions,
} from "./member-options.ts";
import { notLeaderError, Proposals } from "./proposals.ts";
import { Reads } from "./reads.ts";
import { Snapshots } from "./snapshots.ts";
import { Storing } from "./storing.ts";
import { Succession } from "./succession.ts";
import { busyError } from "./waiting.ts";

/**
 * One member of a raft group: drives the core, stores what it wants stored, sends, applies, and answers those who propose and read here.
 * Whoever opened it disposes of it; the transport is closed with it.
 */
export class RaftMember<Answer> {
  readonly #options: SettledOptions<Answer>;
  readonly #durable: DurableLog;
  readonly #core: RaftNode;
  readonly #storing: Storing;
  readonly #applying: Applying<Answer>;
  readonly #snapshots: Snapshots;
  readonly #proposals: Proposals<Answer>;
  readonly #reads: Reads;
  readonly #succession: Succession;
  readonly #stopping = new AbortController();
  /** What waited for the disk has less to wait for. */
  readonly #stored = new Signal();
  #ticking: Promise<void> | undefined;
  #soft: SoftState;
  #turning = false;
  #failure: DbError | undefined;
  #snapshotBytes = 0;

  /**
   * Reads what an earlier run left, puts the state machine there, and joins the others.
   *
   * Rejects as `DurableLog.open` and `SnapshotFolder.read` do, and as `RaftTransport.start`; the transport is closed then.
   */
  static async open<Answer>(options: MemberOptions<Answer>): Promise<RaftMember<Answer>> {
    const { transport } = options;
    await using opened = new AsyncDisposableStack();
    opened.use(transport);
    // First of all, for of two processes of one member on a machine only one can listen: the other leaves the folder alone.
    let member: RaftMember<Answer> | undefined;
    await transport.start({
      message: (received) => (member === undefined ? undefined : member.#receive(received)),
      snapshot: async (received, chunks) => {
        if (member === undefined) throw busyError("it is being started");
        await member.#snapshots.receive(received, chunks);
      },
      unreachable: (peer) => void (member === undefined || member.#noteUnreachable(peer)),
      gone: (peer) => void (member === undefined || member.#noteGone(peer)),
    });
    const disk = await openDisk(options);
    opened.use(disk.durable);
    member = new RaftMember(options, disk);
    member.#ticking = member.#tick();
    opened.move();
    return member;
  }

  private constructor(options: MemberOptions<Answer>, { durable, snapshotFolder }: MemberDisk) {
    const { clock, id, log, machine, random, transport } = options;
    this.#options = { ...MEMBER_DEFAULTS, ...options };
    this.#durable = durable;
    const mark = durable.state.mark ?? NO_MARK;
    this.#core = new RaftNode({
      ...CORE_DEFAULTS,
      ...options.raft,
      id,
      storage: logStorage(durable.state, () => this.#hasNewMember()),
      random,
      appliedIndex: mark.index,
      asyncStorageWrites: true,
    });
    this.#soft = this.#core.status();
    const failed = (error: unknown) => this.#fail(error);
    this.#applying = new Applying<Answer>({
      machine,
      mark,
      read: (snapshot) => snapshotFolder.read(snapshot),
      change: (change) => this.#applyChange(change),
      answer: (proposed, answer) => this.#proposals.answer(proposed, answer),
      applied: (done) => this.#applied(done),
      restored: () => {
        this.#snapshots.installed();
        this.#reads.applied(this.#applying.at.index);
      },
      failed,
    });
    this.#storing = new Storing({
      log: durable,
      clock,
      stored: (done) => this.#respond(done),
      install: (snapshot) => this.#applying.restore(snapshot),
      idle: () => this.#feed(),
      failed,
    });
    this.#snapshots = new Snapshots({
      folder: snapshotFolder,
      state: durable.state,
      transport,
      clock,
      log,
      signal: this.#stopping.signal,
      store: (make) => this.#storing.addItems(make),
      receive: (received) => this.#receiveSnapshot(received),
      sent: (peer, arrived) => this.#turn(() => this.#core.reportSnapshot(peer, arrived)),
      made: () => this.#snapshotIfDue(),
      failed,
      keptEntryCount: this.#options.keptEntryCount,
    });
    this.#succession = new Succession({
      clock,
      random,
      signal: this.#stopping.signal,
      campaign: () => {
        const missing = this.#soft.leader === NOBODY;
        if (missing) this.campaign();
        return missing;
      },
    });
    this.#proposals = new Proposals(clock, random);
    const run = Math.floor(random.next() * 2 ** 53).toString(36);
    this.#reads = new Reads(clock, `${id}/${run}`, (context) =>
      this.#turn(() => this.#storing.stalled || this.#core.readIndex(context)),
    );
  }

  /** Who leads, as far as this member knows; 0 for nobody. */
  get leader(): PeerId {
    return this.#soft.leader;
  }

  get status(): Status {
    return this.#core.status();
  }

  /** How often it has waited for the disk. */
  get syncCount(): number {
    return this.#durable.syncCount;
  }

  /**
   * Has the group take `data`, and resolves with what this member's state machine answered.
   *
   * Rejects with `unavailable`: `raft_not_leader`, `raft_busy` when it has not happened and will not; `raft_outcome_unknown` when it may
   * have happened, or happen yet.
   */
  async propose(data: Uint8Array): Promise<Answer> {
    this.#check();
    if (this.#soft.role !== "leader") throw notLeaderError(this.#soft.leader);
    if (this.#storing.stalled) throw busyError("its disk does not answer");
    const answered = this.#proposals.add(data);
    this.#feed();
    return answered;
  }

  /**
   * Resolves when this member's state machine has all that was done before this call; look at it at once.
   * Rejects with `unavailable` / `raft_read_unconfirmed` when no leader answers in time.
   */
  async read(): Promise<void> {
    this.#check();
    return this.#reads.add();
  }

  /** Asks for a change of the group. It is in force when `changed` says so; one that does not fit has no effect. */
  proposeChange(change: Change): void {
    this.#check();
    const refusal = this.#turn(() => this.#core.proposeChange(change));
    if (refusal !== undefined) throw this.#refusal();
  }

  transferLeader(id: PeerId): void {
    this.#turn(() => this.#core.transferLeader(id));
  }

  /** Campaigns at once. */
  campaign(): void {
    this.#turn(() => this.#core.campaign());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error("the member stops"));
    this.#stored.notify();
    this.#proposals.close();
    this.#reads.close();
    await this.#options.transport[Symbol.asyncDispose]();
    await this.#ticking;
    await this.#succession.stop();
    await this.#applying.stop();
    await this.#storing.stop();
    await this.#snapshots.stop();
    await this.#durable[Symbol.asyncDispose]();
  }

  #noteUnreachable(peer: PeerId): void {
    // Said from within a turn, while messages are sent.
    void Promise.resolve().then(() => this.#turn(() => this.#core.reportUnreachable(peer)));
  }

  /**
   * A leader whose connection has ended has died, or says a moment later that it lives. Who forgets it may vote for another at once; nobody
   * is deposed by that whom a majority still hears.
   */
  #noteGone(peer: PeerId): void {
    if (this.#ended || peer !== this.#soft.leader) return;
    this.#turn(() => this.#core.forgetLeader());
    this.#succession.begin();
  }

  async #tick(): Promise<void> {
    const { clock, tickMs } = this.#options;
    const { signal } = this.#stopping;
    this.#turn(() => undefined);
    while (!signal.aborted) {
      await clock.sleep(tickMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      if (!this.#storing.stalled) this.#turn(() => this.#core.tick());
      this.#proposals.expire();
      this.#reads.expire();
    }
  }

  #receive(received: Message): Promise<void> | void {
    // One without its state is of no use.
    if (this.#ended || received.kind === "snapshot") return;
    if (this.#storing.stalled) return this.#stored.wait();
    this.#turn(() => void this.#core.step(received));
    if (this.#storing.full) return this.#stored.wait();
  }

  /** Whether the core took it: then it wants it stored. */
  #receiveSnapshot(received: Message): boolean {
    let taken = false;
    this.#turn(
      () => void this.#core.step(received),
      (sent) => {
        taken ||= sent.to === APPEND_THREAD && sent.snapshot?.index === received.snapshot?.index;
      },
    );
    return taken;
  }

  /** Calls the core, then does what it says. */
  #turn<T>(call: () => T, seen?: (sent: Message) => void): T | undefined {
    if (this.#ended) return undefined;
    try {
      const result = call();
      // What is called from within a turn is done by that turn.
      if (this.#turning) return result;
      this.#turning = true;
      try {
        while (!this.#ended && this.#core.hasReady()) this.#obey(seen);
      } finally {
        this.#turning = false;
      }
      this.#options.turned?.(this.#core, this.#durable);
      return result;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #obey(seen: ((sent: Message) => void) | undefined): void {
    const ready = this.#core.ready();
    if (ready.softState !== undefined) this.#noteSoft(ready.softState);
    for (const sent of ready.messages) {
      seen?.(sent);
      if (sent.to === APPEND_THREAD) this.#storing.append(sent);
      else if (sent.to === APPLY_THREAD) this.#applying.apply(sent);
      else if (sent.kind === "snapshot") this.#snapshots.send(sent);
      else this.#options.transport.send(sent);
    }
    for (const state of ready.readStates) this.#reads.confirm(state);
    if (ready.readStates.length > 0) this.#reads.applied(this.#applying.at.index);
  }

  #noteSoft(soft: SoftState): void {
    const { id, log } = this.#options;
    if (soft.leader !== this.#soft.leader)
      log.info("The raft group has another leader.", { leader: soft.leader, member: id });
    this.#soft = soft;
    if (soft.role !== "leader") this.#refuseQueued();
  }

  /** What a message of the append or apply thread had wait for it. */
  #respond({ responses }: Message): void {
    this.#stored.notify();
    this.#turn(() => {
      for (const response of responses) this.#respondTo(response);
    });
  }

  #respondTo(response: Message): void {
    if (response.to === this.#options.id) this.#core.step(response);
    else this.#options.transport.send(response);
  }

  #applied(done: Message): void {
    this.#reads.applied(this.#applying.at.index);
    this.#respond(done);
    this.#snapshotIfDue();
  }

  /** Asked again when commands that are being applied are. */
  #snapshotIfDue(): void {
    if (this.#ended || this.#applying.changing) return;
    const { machine, snapshotBytes, snapshotEntryCount } = this.#options;
    const { at, bytes } = this.#applying;
    const entryCount = at.index - (this.#durable.state.mark?.index ?? 0);
    const many = entryCount >= snapshotEntryCount || bytes - this.#snapshotBytes >= snapshotBytes;
    if (this.#snapshots.making || !(many || this.#hasNewMember())) return;
    this.#snapshotBytes = bytes;
    this.#snapshots.make(at, machine.capture());
  }

  #hasNewMember(): boolean {
    const { mark } = this.#durable.state;
    return mark !== undefined && hasNewMember(this.#applying.at.configuration, mark.configuration);
  }

  #applyChange(change: Change): ConfigurationState {
    const configuration = this.#turn(() => this.#core.applyChange(change));
    if (configuration === undefined) throw this.#failure ?? busyError("it stops");
    this.#options.changed?.(configuration, change);
    return configuration;
  }

  /** Gives the core what was proposed, unless the disk has work: what comes meanwhile goes together. */
  #feed(): void {
    while (this.#proposals.queued && !this.#storing.busy) {
      const turn = this.#proposals.takeTurn();
      const entries = turn.map(({ proposal }) => ({ ...proposal, term: 0, index: 0 }));
      const { id } = this.#options;
      const refusal = this.#turn(() =>
        this.#core.step(message({ kind: "propose", from: id, to: id, entries })),
      );
      if (refusal === undefined) continue;
      const error = this.#refusal();
      for (const { number } of turn) this.#proposals.refuse(number, error);
    }
  }

  /** Why the core has refused a proposal. */
  #refusal(): DbError {
    const { leader, role } = this.#soft;
    return role === "leader"
      ? busyError("too much is not agreed on yet, or it hands its office on")
      : notLeaderError(leader);
  }

  #refuseQueued(): void {
    while (this.#proposals.queued)
      for (const { number } of this.#proposals.takeTurn())
        this.#proposals.refuse(number, notLeaderError(this.#soft.leader));
  }

  get #ended(): boolean {
    return this.#failure !== undefined || this.#stopping.signal.aborted;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#stopping.signal.aborted) throw notLeaderError(NOBODY);
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#failure = failureOf(error, this.#options.folder);
    this.#stored.notify();
    this.#proposals.close();
    this.#reads.close();
    this.#options.failed(this.#failure);
  }
}
