package io.apisink.jni;

/**
 * Entry points of the native library. Call {@link NativeLibrary#load} first.
 *
 * <p>Every method throws a subclass of {@link io.apisink.ApiSinkException} for its failures, a panic of native code
 * included. Byte arrays are copied in both directions. Addresses are those of the structs of Arrow's C data interface:
 * what is passed in is moved out of the struct, what comes out belongs to the caller, who releases it.
 *
 * <p>A session is a number with a generation; a stale one is a {@link io.apisink.SessionClosedException}. The methods
 * on one session are called by one thread, that of the Spark task; none blocks for longer than it says.
 *
 * <p>Production code reaches these methods through {@code io.apisink.config.ConfigCompiler} and {@code
 * io.apisink.session.NativeSession} only.
 */
public final class Native {

  /** What {@link #abiVersion} of a library that fits this class answers. */
  public static final int ABI_VERSION = 9;

  /** Bit of {@link #await}: there is room for {@link #submit}. */
  public static final int READY_FOR_ROWS = 1;

  /** Bit of {@link #await}: {@link #takeResponses} is worth calling. */
  public static final int RESPONSES = 2;

  /** Bit of {@link #await}: the input is finished and every response was taken. */
  public static final int DONE = 4;

  /** Bit of {@link #await}: {@link #takeLogs} has lines. */
  public static final int LOGS = 8;

  private Native() {}

  /** The version of this contract that the library was built for. */
  public static native int abiVersion();

  /**
   * The references to the environment and to secret stores that a config holds.
   *
   * @param text the config, UTF-8
   * @param name its name in messages, usually its path
   * @param overrides JSON: {@code [{"path":"execution.partitions","value":"8"}, …]}, keys set from outside of the text
   * @return JSON: {@code [{"kind":"env","scope":"","key":"API_TOKEN","line":3,"column":9}, …]}
   */
  public static native byte[] configReferences(byte[] text, String name, byte[] overrides);

  /**
   * Validates and compiles a config. Pure: no file, environment or network is looked at.
   *
   * @param overrides as for {@link #configReferences}
   * @param inputs JSON: {@code {"references":[{"kind","scope","key","value"|"error"}],"columns":[names]|null,
   *     "dataFrame":true,"dryRun":false}}
   * @return the plan, the secrets, and JSON for the driver
   */
  public static native byte[][] compileConfig(byte[] text, String name, byte[] overrides, byte[] inputs);

  /**
   * Opens the sending side of a task and binds the plan to the columns. Sends nothing yet.
   *
   * @param task JSON: identity of the task attempt
   * @param schemaAddress ArrowSchema (a struct) of the batches to come; moved
   * @return the session
   */
  public static native long openSession(byte[] plan, byte[] secrets, byte[] task, long schemaAddress);

  /**
   * Takes in answers that earlier attempts of the task have journaled: their rows are not sent again and count as rows
   * of this session. Only before the first {@link #submit}.
   *
   * @param answers records of 29 bytes: request_id (16), the first half of the request digest (8), attempts (4, big
   *     endian), outcome (1: success, http_error, transport_error, invalid_row, invalid_response, unknown, from 0)
   */
  public static native void resume(long session, byte[] answers);

  /**
   * Leaves rows of these tracking ids out, unless the session has an answer of theirs. Only before the first
   * {@link #submit}.
   *
   * @param trackingIds one after another: length in bytes (4, big endian), then the text in UTF-8
   */
  public static native void skip(long session, byte[] trackingIds);

  /**
   * Waits until there is something to do, at most for {@code timeoutMillis}.
   *
   * @param finishing not to return for {@link #READY_FOR_ROWS}
   * @return the bits {@link #READY_FOR_ROWS}, {@link #RESPONSES}, {@link #DONE}, {@link #LOGS}
   */
  public static native int await(long session, long timeoutMillis, boolean finishing);

  /** Takes a batch of rows. Moved, rendered and released when the method returns. */
  public static native void submit(long session, long arrayAddress);

  /** Says that no more rows will come. */
  public static native void finish(long session);

  /**
   * Exports one batch of responses into two empty structs.
   *
   * @return rows of the batch; 0 when there was none and nothing was exported
   */
  public static native int takeResponses(long session, long arrayAddress, long schemaAddress, int maxRows);

  /** The log lines since the last call, each {@code "exchange|native <LEVEL> <line>"} in UTF-8. */
  public static native byte[][] takeLogs(long session);

  /**
   * What the session does and has done.
   *
   * @return JSON: {@code {"rows","success","httpError","transportError","invalidRow","invalidResponse","unknown",
   *     "attempts","resumed","resumedFailed","skipped","inFlight","traffic":{…}}}; for the traffic see {@code
   *     io.apisink.metrics.Traffic}
   */
  public static native byte[] sessionStats(long session);

  /**
   * Stops sending in order: no further request is written, and those that have been are waited for, at most for {@code
   * timeoutMillis}. What is completed is to be taken between two calls: answers wait for the memory that it holds.
   *
   * @return whether none is left to wait for
   */
  public static native boolean drainSession(long session, long timeoutMillis);

  /**
   * Stops sending and drops what is in flight. Returns at once; may be called again. What is completed can still be
   * taken.
   */
  public static native void stopSession(long session);

  /** Aborts what is in flight and frees the session. Returns at once; may be called again. */
  public static native void closeSession(long session);

  /**
   * What this process does and has done, all sessions together, those included that have ended.
   *
   * @return JSON: {@code {"sessions","inFlight","connections","bufferedBytes","traffic":{…}}}
   */
  public static native byte[] processStats();

  /**
   * Ends the sending of this process in order: no further row is sent, those in flight may end within {@code
   * graceMillis}, what is left of them is dropped, all connections are closed. Tasks that have rows left fail, when they
   * have taken the answers that arrived. The process can send again afterwards.
   *
   * <p>Blocks for {@code graceMillis} and three seconds at most.
   *
   * @return whether nothing was dropped
   */
  public static native boolean shutDown(long graceMillis);

  /**
   * Waits until this executor has something to ask the driver about its leased rate limits, at most for {@code
   * timeoutMillis}. Called by one thread of the process.
   *
   * @return the message for the driver; empty when there is none
   */
  public static native byte[] leaseAsk(long timeoutMillis);

  /** Takes the driver's answer to the message of {@link #leaseAsk}. */
  public static native void leaseDeliver(byte[] grant);

  /** Says that the message of {@link #leaseAsk} got no answer. */
  public static native void leaseGiveUp(byte[] ask);

  /** On the driver: answers an executor's message. Does not block; may be called by any thread. */
  public static native byte[] leaseAnswer(byte[] ask);

  /**
   * On the driver: steers a rate limit that this process keeps, itself or for its executors.
   *
   * @param limit its name in the compiled config
   * @param perSecond attempts per second from now on; NaN for those of the config
   * @param pauseMillis no attempt for so long from now; 0 for no pause
   */
  public static native void steerRate(String limit, double perSecond, long pauseMillis);
}
