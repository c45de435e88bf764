package io.apisink.jni;

import io.apisink.NativeLibraryException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Loads the native library, once per class loader of this jar.
 *
 * <p>Search order:
 *
 * <ol>
 *   <li>the file that {@code spark.apisink.native.library} names, as a system property, else as the Spark setting of
 *       that name (the caller of {@link #load} passes it). When it is set nothing else is tried.
 *   <li>the resource {@code native/<os>-<arch>/libapisink.so} of this jar. It is copied into a new directory with mode
 *       0700 below {@code java.io.tmpdir}, under a name that holds its SHA-256, and removed as soon as it is loaded, so
 *       that a process that is killed leaves none behind. Every class loader gets a copy of its own, for the JVM refuses
 *       to load one file in two of them.
 * </ol>
 *
 * <p>The version of the library's interface is checked before anything else is called. The first failure is
 * remembered: later calls throw it again, without another try.
 *
 * <p>Process-wide state: the outcome of the first call, for the life of the class loader. It holds no credential.
 */
public final class NativeLibrary {

  /** Name of the system property and of the Spark setting with the path of a library to load instead of the jar's. */
  public static final String OVERRIDE = "spark.apisink.native.library";

  private static final String FILE_NAME = "libapisink.so";

  private static boolean loaded;
  private static NativeLibraryException failure;

  private NativeLibrary() {}

  /**
   * Makes the methods of {@link Native} callable. Cheap after the first call.
   *
   * @param setting value of the Spark setting {@link #OVERRIDE}; null when it is not set
   * @throws NativeLibraryException always the same one, when the library cannot be used
   */
  public static synchronized void load(String setting) {
    if (loaded) {
      return;
    }
    if (failure != null) {
      throw failure;
    }
    try {
      loadOnce(setting);
      loaded = true;
    } catch (NativeLibraryException e) {
      failure = e;
      throw e;
    }
  }

  private static void loadOnce(String setting) {
    String override = System.getProperty(OVERRIDE, setting);
    Attempts attempts = new Attempts();
    if (override != null) {
      attempts.load(Path.of(override), OVERRIDE);
    } else {
      loadBundled(attempts);
    }
    checkVersion();
  }

  private static void loadBundled(Attempts attempts) {
    String resource = resource(Platform.current());
    byte[] library;
    try (InputStream in = NativeLibrary.class.getResourceAsStream(resource)) {
      if (in == null) {
        attempts.failed("resource " + resource + " of the jar", "there is none", null);
        throw attempts.exception();
      }
      library = in.readAllBytes();
    } catch (IOException e) {
      attempts.failed("resource " + resource + " of the jar", e.toString(), e);
      throw attempts.exception();
    }
    Path copy;
    try {
      copy = extract(library);
    } catch (IOException e) {
      attempts.failed("a copy below " + System.getProperty("java.io.tmpdir"), e.toString(), e);
      throw attempts.exception();
    }
    try {
      attempts.load(copy, "copy of the jar's " + resource);
    } finally {
      // What is mapped stays usable without its name.
      copy.toFile().delete();
      copy.getParent().toFile().delete();
    }
  }

  static String resource(String platform) {
    return "/native/" + platform + "/" + FILE_NAME;
  }

  /** Writes the library to a file of its own; the directory's mode is 0700 where the file system has modes. */
  static Path extract(byte[] library) throws IOException {
    Path directory = Files.createTempDirectory("apisink-native-");
    Path file = directory.resolve("libapisink-" + sha256(library) + ".so");
    // What cannot be written whole is not loaded: that is left to the JVM's exit. Deleted in the reverse order.
    directory.toFile().deleteOnExit();
    file.toFile().deleteOnExit();
    Files.write(file, library);
    return file;
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private static void checkVersion() {
    int version;
    try {
      version = Native.abiVersion();
    } catch (UnsatisfiedLinkError e) {
      throw new NativeLibraryException(
          "NATIVE_LIBRARY",
          "the library that was loaded is not apisink's: " + e.getMessage(),
          "Let " + OVERRIDE + " name apisink's library, or leave it unset to use the one in the jar.",
          e);
    }
    if (version != Native.ABI_VERSION) {
      throw new NativeLibraryException(
          "NATIVE_LIBRARY_VERSION",
          "the native library speaks version "
              + version
              + " of the interface, this jar needs version "
              + Native.ABI_VERSION,
          "Use the library that belongs to this jar: leave " + OVERRIDE + " unset.");
    }
  }

  /** What was tried, for the error message. */
  private static final class Attempts {
    private final List<String> tried = new ArrayList<>();
    private Throwable cause;

    void load(Path path, String why) {
      try {
        System.load(path.toAbsolutePath().toString());
      } catch (UnsatisfiedLinkError | SecurityException e) {
        failed(path.toAbsolutePath() + " (" + why + ")", String.valueOf(e.getMessage()), e);
        throw exception();
      }
    }

    void failed(String what, String reason, Throwable e) {
      tried.add(what + ": " + reason);
      cause = e;
    }

    NativeLibraryException exception() {
      return new NativeLibraryException(
          "NATIVE_LIBRARY",
          "the native library for "
              + Platform.current()
              + " could not be loaded. Tried:\n  "
              + String.join("\n  ", tried),
          "Check that this platform is one that the jar has a library for, that the library's C library is not newer"
              + " than this machine's and that java.io.tmpdir is not mounted noexec; or let "
              + OVERRIDE
              + " name a library file that is present on every node.",
          cause);
    }
  }
}
